//! What makes a node itself: its personality.

mod access;
mod accounts;
mod boot;
mod clock;
mod context;
mod disk_id;
mod draft;
mod facts;
mod growth;
mod habits;
mod hosts;
mod identity;
mod journal;
mod key_blob;
mod keys;
mod locale;
mod mounts;
mod network;
mod packages;
mod passphrase;
mod personality;
mod profile;
mod reader;
mod rehearsal;
mod release;
mod services;
mod ssh;
mod storage;
mod swap;
mod users;
mod wizard;

#[cfg(test)]
mod fake_base;
#[cfg(test)]
mod fake_cluster;
#[cfg(test)]
mod fake_tree;
#[cfg(test)]
mod made;

pub use access::{Proof, Way, prove};
pub use accounts::{Account, Accounts, Group};
pub use context::{HADOOP_USER, Ids, Paths, TemplateContext};
pub use disk_id::DiskId;
#[cfg(test)]
pub(crate) use fake_base::base as fake_base;
pub use habits::{HABITS, Habit};
pub use hosts::{hosts_file, spare_workers};
pub use identity::{ClusterKey, IdentityError, SshKey};
pub use keys::{AuthorizedKey, KeyError, parse_authorized_key, parse_authorized_keys};
pub use mounts::{Mount, mounts};
pub use passphrase::{Passphrase, PassphraseError};
pub use personality::{NodeError, NodeInputs, personality};
pub use profile::{Lack, NetworkStack, Profile, ProfileError, ROOT_FILES};
pub use release::Release;
pub use ssh::known_hosts;
pub use users::{hadoop_owner, user_owner};
