//! Gives the chosen NIC its address and takes away exactly what was given.

use super::nics::{Netlink, NetlinkError, Nic};
use crate::config::Subnet;
use rtnetlink::{AddressMessageBuilder, LinkUnspec};
use std::net::Ipv4Addr;

/// An address that the station gave to a NIC and owes to take away again.
#[derive(Debug)]
pub struct GivenAddress {
    netlink: Netlink,
    index: u32,
    subnet: Subnet,
}

/// Switches the NIC on. Needs the right to administer networks.
pub async fn switch_on(netlink: &Netlink, nic: &Nic) -> Result<(), NetlinkError> {
    let up = LinkUnspec::new_with_index(nic.index).up().build();
    Ok(netlink.handle().link().set(up).execute().await?)
}

/// Gives the NIC `subnet`'s address. Needs the right to administer networks.
pub async fn give(
    netlink: &Netlink,
    nic: &Nic,
    subnet: Subnet,
) -> Result<GivenAddress, NetlinkError> {
    netlink
        .handle()
        .address()
        .add(nic.index, subnet.address.into(), subnet.prefix)
        .execute()
        .await?;
    Ok(GivenAddress {
        netlink: netlink.clone(),
        index: nic.index,
        subnet,
    })
}

impl GivenAddress {
    /// Takes the address away. A NIC that is gone took it along.
    pub async fn take_away(self) {
        let Subnet { address, prefix } = self.subnet;
        let message = AddressMessageBuilder::<Ipv4Addr>::new()
            .index(self.index)
            .address(address, prefix)
            .build();
        let request = self.netlink.handle().address().del(message);
        if let Err(error) = request.execute().await {
            tracing::debug!(%error, %address, "the address was gone already");
        }
    }
}
