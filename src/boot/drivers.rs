//! Whether an image's kernel can live in a machine that is no Raspberry Pi.

use camino::Utf8Path;

use super::BootError;
use crate::disk::PiImage;
use crate::disk::ext4::Ext4Volume;
use crate::edit::{EditError, ImagePath, ReadTree};

/// The driver without which `virt` and `q35` have no disk.
const DISK: &str = "virtio_blk";

/// Lists of a kernel's drivers (kmod: `modules.builtin(5)`, `modules.dep(5)`).
const LISTS: [&str; 2] = ["modules.builtin", "modules.dep"];

/// Whether any kernel of the image at `image` drives virtio disks; Raspberry
/// Pi's own may not. `None` if the image does not tell.
///
/// # Errors
/// If the image cannot be read.
pub fn drives_virtio(image: &Utf8Path) -> Result<Option<bool>, BootError> {
    let root = Ext4Volume::open(&PiImage::open(image)?.root())?;
    in_tree(&root).map_err(|source| BootError::Tree {
        card: image.to_owned(),
        source: Box::new(source),
    })
}

fn in_tree(root: &dyn ReadTree) -> Result<Option<bool>, EditError> {
    let mut told = None;
    for modules in ["usr/lib/modules", "lib/modules"] {
        let Ok(modules) = ImagePath::root().join(modules) else {
            continue;
        };
        if root.entry(&modules)?.is_none() {
            continue;
        }
        let Ok(kernels) = root.children(&modules) else {
            // A link to the other place.
            continue;
        };
        for kernel in kernels {
            for list in LISTS {
                let Ok(path) = modules.join(&format!("{kernel}/{list}")) else {
                    continue;
                };
                if root.entry(&path)?.is_none() {
                    continue;
                }
                if names_driver(&String::from_utf8_lossy(&root.read(&path)?)) {
                    return Ok(Some(true));
                }
                told = Some(false);
            }
        }
    }
    Ok(told)
}

/// Whether a list has the driver: `kernel/drivers/block/virtio_blk.ko`, maybe
/// compressed.
fn names_driver(list: &str) -> bool {
    list.split([' ', '\n', ':'])
        .filter_map(|path| path.rsplit('/').next())
        .filter_map(|file| file.split_once(".ko"))
        .any(|(name, _)| name.replace('-', "_") == DISK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Content, Edit, Mode, Owner, Tree};

    fn tree(files: &[(&str, &str)]) -> Tree {
        let edits: Vec<Edit> = files
            .iter()
            .map(|(path, text)| Edit::PutFile {
                path: ImagePath::new(path).unwrap(),
                content: Content::text(*text),
                owner: Owner::ROOT,
                mode: Mode::FILE,
            })
            .collect();
        Tree::from_edits(&edits).unwrap()
    }

    #[test]
    fn drivers_are_found_built_in_or_as_modules() {
        let built_in = (
            "/lib/modules/6.1/modules.builtin",
            "kernel/a/virtio_blk.ko\n",
        );
        let module = (
            "/usr/lib/modules/6.12/modules.dep",
            "kernel/drivers/block/virtio_blk.ko.xz: kernel/b.ko.xz\n",
        );
        for known in [built_in, module] {
            assert_eq!(in_tree(&tree(&[known])).unwrap(), Some(true), "{known:?}");
        }
    }

    #[test]
    fn a_kernel_without_them_is_told_from_one_that_says_nothing() {
        let pi = (
            "/lib/modules/6.12-v8/modules.dep",
            "kernel/drivers/net/virtio_blk_test/x.ko: kernel/virtio_blkx.ko\n",
        );
        assert_eq!(in_tree(&tree(&[pi])).unwrap(), Some(false));
        assert_eq!(in_tree(&tree(&[("/etc/x", "")])).unwrap(), None);
    }
}
