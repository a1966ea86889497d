//! cloud-init: an image that has it would set its own hostname at first boot.

use super::PersonaliseError;
use super::tree::Tree;
use wire::name::Hostname;

const DROP_IN: &str = "/etc/cloud/cloud.cfg.d/99-punnet.cfg";

/// True when cloud-init is installed and not switched off.
pub(super) fn active(tree: &mut Tree<'_>) -> Result<bool, PersonaliseError> {
    let installed = tree.exists("/usr/bin/cloud-init")? || tree.exists("/etc/cloud/cloud.cfg")?;
    Ok(installed && !tree.exists("/etc/cloud/cloud-init.disabled")?)
}

/// True when cloud-init has not run on this system yet, so that its first-boot work, host keys
/// among it, is still to come.
pub(super) fn first_boot_ahead(tree: &mut Tree<'_>) -> Result<bool, PersonaliseError> {
    Ok(active(tree)?
        && tree.exists("/usr/bin/cloud-init")?
        && tree.find_itself("/var/lib/cloud/instance")?.entry.is_none())
}

/// Tells cloud-init to leave the name alone. `preserve_hostname` and `manage_etc_hosts` are the
/// keys of its modules `set_hostname` and `update_etc_hosts`.
pub(super) fn plan(tree: &mut Tree<'_>, hostname: &Hostname) -> Result<(), PersonaliseError> {
    if !active(tree)? {
        return Ok(());
    }
    let text = format!(
        "# The name of this system was assigned when it was provisioned.\n\
         preserve_hostname: true\n\
         manage_etc_hosts: false\n\
         hostname: {hostname}\n"
    );
    tree.write(DROP_IN, text.into_bytes(), 0o644)
}
