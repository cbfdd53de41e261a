//! What the firmware would start, by `config.txt`.
//!
//! Raspberry Pi documentation, `config_txt/boot.adoc` and
//! `config_txt/conditional.adoc`.

use super::machine::Model;

/// The names that `config.txt` chooses for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Firmware {
    /// Kernels in the order tried.
    pub(super) kernels: Vec<String>,
    /// The initial file system, if any.
    pub(super) initramfs: Initramfs,
    /// Device trees in the order tried.
    pub(super) device_trees: Vec<String>,
    /// The file with the kernel's command line.
    pub(super) cmdline: String,
    /// Whether a 64-bit kernel is started.
    pub(super) arm_64bit: bool,
}

/// Which initial file system goes with the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Initramfs {
    /// None.
    None,
    /// This file.
    Named(String),
    /// The one whose name follows from the kernel's, if it is there.
    Auto,
}

impl Firmware {
    /// What the text of `config.txt` chooses for `model`.
    pub(super) fn read(text: &str, model: Model) -> Self {
        let settings = Settings::read(text, model);
        let prefix = settings.value("os_prefix").unwrap_or_default();
        let with_prefix = |name: &str| format!("{prefix}{name}");
        let kernels = match settings.value("kernel") {
            Some(kernel) => vec![with_prefix(kernel)],
            None => default_kernels(model)
                .iter()
                .map(|kernel| with_prefix(kernel))
                .collect(),
        };
        let initramfs = match settings.initramfs() {
            Some(name) => Initramfs::Named(with_prefix(name)),
            None if settings.is_on("auto_initramfs", false) => Initramfs::Auto,
            None => Initramfs::None,
        };
        let upstream = settings.is_on("upstream_kernel", false);
        let device_trees = match settings.value("device_tree") {
            Some(tree) => vec![with_prefix(tree)],
            None => device_trees(upstream)
                .iter()
                .map(|tree| with_prefix(tree))
                .collect(),
        };
        Self {
            kernels,
            initramfs,
            device_trees,
            cmdline: with_prefix(settings.value("cmdline").unwrap_or("cmdline.txt")),
            arm_64bit: settings.is_on("arm_64bit", true),
        }
    }

    /// The name of the initial file system that goes with a kernel, by
    /// `auto_initramfs`: `kernel8.img` has `initramfs8`.
    pub(super) fn initramfs_of(kernel: &str) -> Option<String> {
        let (dir, name) = match kernel.rsplit_once('/') {
            Some((dir, name)) => (format!("{dir}/"), name),
            None => (String::new(), kernel),
        };
        let rest = name.strip_prefix("kernel")?;
        let rest = rest.strip_suffix(".img").unwrap_or(rest);
        Some(format!("{dir}initramfs{rest}"))
    }
}

/// Kernels a model looks for when none is named.
fn default_kernels(model: Model) -> &'static [&'static str] {
    match model {
        Model::Pi5 => &["kernel_2712.img", "kernel8.img"],
        Model::Pi3 | Model::Pi4 => &["kernel8.img"],
    }
}

/// Device trees of a Pi 3B: by Raspberry Pi's name, and by that in the Linux
/// sources, which `upstream_kernel` prefers.
fn device_trees(upstream: bool) -> [&'static str; 2] {
    let names = ["bcm2710-rpi-3-b.dtb", "bcm2837-rpi-3-b.dtb"];
    if upstream {
        [names[1], names[0]]
    } else {
        names
    }
}

/// The lines that count for one model, in order.
struct Settings<'a> {
    lines: Vec<&'a str>,
}

impl<'a> Settings<'a> {
    fn read(text: &'a str, model: Model) -> Self {
        let mut filters = Filters::default();
        let mut lines = Vec::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some(header) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                filters.meet(header.trim(), model);
            } else if filters.pass() && !line.is_empty() {
                lines.push(line);
            }
        }
        Self { lines }
    }

    /// The value of the last `name=value`.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.lines
            .iter()
            .rev()
            .find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then_some(value.trim())
            })
            .filter(|value| !value.is_empty())
    }

    fn is_on(&self, name: &str, default: bool) -> bool {
        self.value(name).map_or(default, |value| value != "0")
    }

    /// `initramfs FILE followkernel`: the one setting without an equals sign.
    fn initramfs(&self) -> Option<&'a str> {
        self.lines.iter().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("initramfs")).then(|| words.next())?
        })
    }
}

/// Conditions in force. One of a kind replaces the last of its kind; those of
/// different kinds must all hold; `[all]` lifts them.
#[derive(Clone, Copy, Debug)]
struct Filters {
    model: bool,
    other: bool,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            model: true,
            other: true,
        }
    }
}

impl Filters {
    fn meet(&mut self, header: &str, model: Model) {
        let header = header.to_ascii_lowercase();
        match header.as_str() {
            "all" => *self = Self::default(),
            "pi3" => self.model = model == Model::Pi3,
            "pi4" => self.model = model == Model::Pi4,
            "pi5" => self.model = model == Model::Pi5,
            // Other boards, among them the kinds of a Pi 3 that are no 3B.
            name if name.starts_with("pi") || name.starts_with("cm") => self.model = false,
            // A serial number, a monitor, a pin's level: none is known here.
            _ => self.other = false,
        }
    }

    fn pass(self) -> bool {
        self.model && self.other
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The lines that matter of the file as released for Trixie
    /// (pi-gen stage1/00-boot-files/files/config.txt).
    const RASPBERRY_PI_OS: &str = "# For more options see http://rptl.io/configtxt\n\
        dtparam=audio=on\nauto_initramfs=1\ndtoverlay=vc4-kms-v3d\narm_64bit=1\n\n\
        [cm4]\notg_mode=1\n\n[pi5]\ndtoverlay=nospi10\n\n[all]\n";

    #[rstest]
    #[case(Model::Pi3, &["kernel8.img"])]
    #[case(Model::Pi5, &["kernel_2712.img", "kernel8.img"])]
    fn raspberry_pi_os(#[case] model: Model, #[case] kernels: &[&str]) {
        let firmware = Firmware::read(RASPBERRY_PI_OS, model);
        assert_eq!(firmware.kernels, kernels);
        assert_eq!(firmware.initramfs, Initramfs::Auto);
        assert_eq!(firmware.device_trees[0], "bcm2710-rpi-3-b.dtb");
        assert_eq!(firmware.cmdline, "cmdline.txt");
        assert!(firmware.arm_64bit);
    }

    #[test]
    fn debian_on_a_pi() {
        let text = "arm_64bit=1\r\nkernel=vmlinuz\r\ninitramfs initrd.img followkernel\r\n\
                    upstream_kernel=1\r\n";
        let firmware = Firmware::read(text, Model::Pi4);
        assert_eq!(firmware.kernels, ["vmlinuz"]);
        assert_eq!(
            firmware.initramfs,
            Initramfs::Named("initrd.img".to_owned())
        );
        assert_eq!(
            firmware.device_trees,
            ["bcm2837-rpi-3-b.dtb", "bcm2710-rpi-3-b.dtb"]
        );
    }

    #[rstest]
    #[case::other_model("[pi4]\nkernel=a\n", "kernel8.img")]
    #[case::own_model("[pi3]\nkernel=a\n", "a")]
    #[case::back_to_all("[pi4]\nkernel=a\n[all]\nkernel=b\n", "b")]
    #[case::models_replace_each_other("[pi4]\n[pi3]\nkernel=a\n", "a")]
    #[case::kinds_add_up("[gpio4=1]\n[pi3]\nkernel=a\n", "kernel8.img")]
    #[case::never("[none]\nkernel=a\n", "kernel8.img")]
    #[case::a_3b_is_no_3b_plus("[pi3+]\nkernel=a\n", "kernel8.img")]
    #[case::last_wins("kernel=a\nkernel=b\n", "b")]
    #[case::comment("kernel=a # b\n#kernel=c\n", "a")]
    #[case::nothing("", "kernel8.img")]
    #[case::prefix("os_prefix=new/\nkernel=a\n", "new/a")]
    #[case::prefix_of_the_default("os_prefix=new/\n", "new/kernel8.img")]
    fn sections(#[case] text: &str, #[case] kernel: &str) {
        assert_eq!(Firmware::read(text, Model::Pi3).kernels[0], kernel);
    }

    #[test]
    fn an_initramfs_follows_from_its_kernel() {
        let of = Firmware::initramfs_of;
        assert_eq!(of("kernel8.img").as_deref(), Some("initramfs8"));
        assert_eq!(of("kernel_2712.img").as_deref(), Some("initramfs_2712"));
        assert_eq!(of("new/kernel8.img").as_deref(), Some("new/initramfs8"));
        assert_eq!(of("vmlinuz"), None);
    }

    #[test]
    fn a_32_bit_kernel_is_told() {
        assert!(!Firmware::read("arm_64bit=0\n", Model::Pi3).arm_64bit);
    }
}
