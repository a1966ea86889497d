//! The rules, in the order in which they are applied.

use super::tree::Tree;
use super::{Edit, PersonaliseError, RootFs, cloud, first_boot, hosts, identity};
use wire::agent::Personalise;
use wire::name::Hostname;

/// Decides which files of an installed system change. Nothing is written.
pub fn plan(
    fs: &mut dyn RootFs,
    hostname: &Hostname,
    wanted: &Personalise,
) -> Result<Vec<Edit>, PersonaliseError> {
    let mut tree = Tree::new(fs);
    hosts::plan(&mut tree, hostname)?;
    cloud::plan(&mut tree, hostname)?;
    if wanted.fresh_machine_id {
        identity::machine_id(&mut tree)?;
    }
    if wanted.fresh_ssh_keys {
        identity::ssh_keys(&mut tree)?;
    }
    if let Some(hello) = &wanted.hello {
        first_boot::plan(&mut tree, hello)?;
    }
    Ok(tree.into_edits())
}

/// Does this file system hold an installed system? One that has neither of these is a data
/// partition.
pub fn is_root(fs: &mut dyn RootFs) -> Result<bool, PersonaliseError> {
    let mut tree = Tree::new(fs);
    let passwd = tree.exists("/etc/passwd")? || tree.exists("/etc/os-release")?;
    Ok(passwd && (tree.exists("/usr")? || tree.exists("/bin")?))
}
