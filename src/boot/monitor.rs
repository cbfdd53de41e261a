//! The line to a running QEMU: QMP, of which one command is needed
//! (QEMU documentation, `interop/qmp-spec`).

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::Utf8Path;

/// How long QEMU may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Presses the power button of the machine whose QEMU listens at `socket`. The
/// guest hears it and shuts down in its own time.
pub(super) fn press_power_button(socket: &Utf8Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    // It greets first.
    expect(&mut answers, "QMP")?;
    for command in ["qmp_capabilities", "system_powerdown"] {
        let line = serde_json::json!({ "execute": command });
        writeln!(stream, "{line}")?;
        expect(&mut answers, "return")?;
    }
    Ok(())
}

/// Reads until an answer with this key; events may come in between.
fn expect(answers: &mut impl BufRead, key: &str) -> io::Result<()> {
    loop {
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer: serde_json::Value = serde_json::from_str(&line)?;
        if answer.get(key).is_some() {
            return Ok(());
        }
        if let Some(error) = answer.get("error") {
            return Err(io::Error::other(format!("QEMU refuses: {error}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use camino::Utf8PathBuf;

    use super::*;

    /// Plays QEMU: greets, then gives the answers in turn.
    fn press(answers: &'static [&'static str]) -> (io::Result<()>, Vec<String>) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("qmp")).unwrap();
        let listener = UnixListener::bind(&path).unwrap();
        let qemu = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            writeln!(stream, r#"{{"QMP":{{}}}}"#).unwrap();
            let mut heard = Vec::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            for answer in answers {
                let Some(Ok(line)) = lines.next() else { break };
                heard.push(line);
                writeln!(stream, "{answer}").unwrap();
            }
            heard
        });
        let result = press_power_button(&path);
        (result, qemu.join().unwrap())
    }

    #[test]
    fn the_button_is_pressed_after_the_greeting() {
        let (result, heard) = press(&[
            r#"{"return":{}}"#,
            "{\"timestamp\":{},\"event\":\"POWERDOWN\"}\n{\"return\":{}}",
        ]);
        result.unwrap();
        assert_eq!(
            heard,
            [
                r#"{"execute":"qmp_capabilities"}"#,
                r#"{"execute":"system_powerdown"}"#
            ]
        );
    }

    #[test]
    fn a_refusal_is_an_error() {
        let (result, _) = press(&[r#"{"error":{"class":"CommandNotFound"}}"#]);
        assert!(result.unwrap_err().to_string().contains("CommandNotFound"));
        assert!(press(&[]).0.is_err());
    }
}
