//! Does what is asked, on one NIC, and undoes it.

use crate::claim::{Claim, claim, claim_soon};
use crate::kernel::Kernel;
use crate::nic::{Nic, Wish, fit};
use crate::words::{Denied, Reason, Reply, Request, What};
use crate::{MARK, manager, sockets};
use std::io;
use std::os::fd::OwnedFd;

/// Words behind [`MARK`] in the alias of a NIC: it is to be switched off, NetworkManager is to get it
/// back.
const OFF: &str = "off";
const MANAGED: &str = "managed";

/// The hands of a station. What they did is undone when they are dropped.
#[derive(Debug)]
pub struct Hands {
    kernel: Kernel,
    using: Option<Using>,
}

/// The NIC in use and what is owed to it.
#[derive(Debug)]
struct Using {
    wish: Wish,
    index: u32,
    owes: Owes,
    _claim: Claim,
}

/// What has to be undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Owes {
    address: bool,
    switched_on: bool,
    managed: bool,
    /// The alias is ours.
    alias: bool,
}

impl Owes {
    /// What the alias of a NIC says, if it is ours.
    fn read(alias: &str) -> Self {
        let mut words = alias.split(' ');
        let alias = words.next() == Some(MARK);
        let words: Vec<&str> = words.filter(|_| alias).collect();
        Self {
            address: false,
            switched_on: words.contains(&OFF),
            managed: words.contains(&MANAGED),
            alias,
        }
    }

    /// The alias that says it.
    fn alias(self) -> String {
        let words = [(self.switched_on, OFF), (self.managed, MANAGED)];
        let words = words.into_iter().filter(|(owed, _)| *owed);
        words.fold(MARK.to_owned(), |alias, (_, word)| {
            format!("{alias} {word}")
        })
    }
}

impl Hands {
    /// Hands that have done nothing yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            kernel: Kernel::open()?,
            using: None,
        })
    }

    /// Does what is asked; an open socket beside the reply where one was asked for.
    pub fn answer(&mut self, request: Request) -> (Reply, Option<OwnedFd>) {
        let done = match request {
            Request::Use {
                nic,
                address,
                prefix,
                force_default_route,
            } => self.take(Wish {
                nic,
                address,
                prefix,
                force_default_route,
            }),
            Request::Open { what } => return self.open(what),
            Request::GiveAddress => self.give(),
            Request::SwitchOn => self.switch_on(),
            Request::Done => {
                self.undo();
                Ok(())
            }
            Request::Unknown => Err(Denied::new(
                Reason::Forbidden,
                "a request of that kind is not known here",
            )),
        };
        match done {
            Ok(()) => (Reply::Done, None),
            Err(denied) => (Reply::Refused(denied), None),
        }
    }

    /// Takes a NIC into use.
    fn take(&mut self, wish: Wish) -> Result<(), Denied> {
        let nics = self.nics()?;
        let nic = match fit(&nics, &wish) {
            Ok(nic) => nic,
            Err(denied) => {
                self.undo();
                return Err(denied);
            }
        };
        if let Some(using) = &mut self.using
            && using.index == nic.index
            && (using.wish.address, using.wish.prefix) == (wish.address, wish.prefix)
        {
            using.wish = wish;
            return Ok(());
        }
        self.undo();
        let held = claim_soon(&wish.nic).map_err(|why| {
            let text = format!("another station of this machine uses {} ({why})", wish.nic);
            Denied::new(Reason::Taken, text)
        })?;
        let owes = self.after_predecessor(nic, &wish);
        self.after_others(&nics, nic);
        self.using = Some(Using {
            index: nic.index,
            owes,
            wish,
            _claim: held,
        });
        if manager::leave_alone(&nic.name) {
            self.owe(nic, |owes| owes.managed = true);
        }
        Ok(())
    }

    /// What a predecessor that was killed left on our NIC: taken over where we would do the same,
    /// taken away where not.
    fn after_predecessor(&mut self, nic: &Nic, wish: &Wish) -> Owes {
        let mut owes = Owes::read(&nic.alias);
        for left in nic.addresses.iter().filter(|a| a.marked) {
            if (left.ip, left.prefix) == (wish.address, wish.prefix) {
                owes.address = true;
            } else {
                note(self.kernel.take_away(nic.index, left.ip, left.prefix));
            }
        }
        owes
    }

    /// What predecessors that were killed left on other NICs.
    fn after_others(&mut self, nics: &[Nic], ours: &Nic) {
        let left =
            |nic: &&Nic| Owes::read(&nic.alias).alias || nic.addresses.iter().any(|a| a.marked);
        for nic in nics.iter().filter(|n| n.index != ours.index).filter(left) {
            // One that is claimed is in use.
            let Ok(_claim) = claim(&nic.name) else {
                continue;
            };
            for left in nic.addresses.iter().filter(|a| a.marked) {
                note(self.kernel.take_away(nic.index, left.ip, left.prefix));
            }
            self.settle(&nic.name, nic.index, Owes::read(&nic.alias));
        }
    }

    /// The NIC in use, looked at anew: a card that was plugged out and in again is another one.
    fn current(&mut self) -> Result<Nic, Denied> {
        let nics = self.nics()?;
        let Some(using) = &mut self.using else {
            let text = "no network card was chosen yet";
            return Err(Denied::new(Reason::Forbidden, text));
        };
        let nic = fit(&nics, &using.wish)?;
        if nic.index != using.index {
            using.index = nic.index;
            using.owes = Owes::default();
        }
        Ok(nic.clone())
    }

    fn open(&mut self, what: What) -> (Reply, Option<OwnedFd>) {
        let opened = self.current().and_then(|nic| {
            let address = self.using.as_ref().map(|using| using.wish.address);
            sockets::open(
                what,
                &nic,
                address.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED),
            )
        });
        match opened {
            Ok((socket, mac)) => (Reply::Opened { mac }, Some(socket)),
            Err(denied) => (Reply::Refused(denied), None),
        }
    }

    fn give(&mut self) -> Result<(), Denied> {
        let nic = self.current()?;
        let Some(using) = &mut self.using else {
            return Ok(());
        };
        let (ip, prefix) = (using.wish.address, using.wish.prefix);
        if nic.addresses.iter().any(|a| a.ip == ip) {
            return Ok(());
        }
        self.kernel.give(nic.index, ip, prefix).map_err(|why| {
            Denied::of_kernel(&format!("{} cannot be given {ip}/{prefix}", nic.name), &why)
        })?;
        using.owes.address = true;
        Ok(())
    }

    fn switch_on(&mut self) -> Result<(), Denied> {
        let nic = self.current()?;
        if nic.up {
            return Ok(());
        }
        self.kernel.switch(nic.index, true).map_err(|why| {
            Denied::of_kernel(&format!("{} cannot be switched on", nic.name), &why)
        })?;
        self.owe(&nic, |owes| owes.switched_on = true);
        Ok(())
    }

    /// Remembers what is owed, and writes it beside the NIC's name for a successor. Somebody else's
    /// remark stays there; then only this process knows.
    fn owe(&mut self, nic: &Nic, remember: impl FnOnce(&mut Owes)) {
        let Some(using) = &mut self.using else { return };
        remember(&mut using.owes);
        if using.owes.alias || nic.alias.is_empty() {
            using.owes.alias = true;
            note(self.kernel.remark(nic.index, &using.owes.alias()));
        }
    }

    /// Undoes everything.
    fn undo(&mut self) {
        let Some(using) = self.using.take() else {
            return;
        };
        let Wish {
            nic,
            address,
            prefix,
            ..
        } = &using.wish;
        if using.owes.address {
            note(self.kernel.take_away(using.index, *address, *prefix));
        }
        self.settle(nic, using.index, using.owes);
    }

    fn settle(&mut self, nic: &str, index: u32, owes: Owes) {
        if owes.switched_on {
            note(self.kernel.switch(index, false));
        }
        if owes.alias {
            note(self.kernel.remark(index, ""));
        }
        if owes.managed {
            manager::look_after(nic);
        }
    }

    fn nics(&mut self) -> Result<Vec<Nic>, Denied> {
        self.kernel
            .nics()
            .map_err(|why| Denied::of_kernel("the network cards cannot be listed", &why))
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.undo();
    }
}

/// A NIC that is gone took everything along.
fn note(done: io::Result<()>) {
    if let Err(why) = done {
        eprintln!("punnet-net: not undone: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn refusal(reply: &Reply) -> &Denied {
        match reply {
            Reply::Refused(denied) => denied,
            other => panic!("was not refused: {other:?}"),
        }
    }

    #[test]
    fn what_is_owed_can_be_read_from_the_alias() {
        for (switched_on, managed) in [(true, false), (false, true), (true, true)] {
            let owes = Owes {
                address: false,
                switched_on,
                managed,
                alias: true,
            };
            assert_eq!(Owes::read(&owes.alias()), owes);
        }
        for foreign in ["", "uplink", "off punnet", "punnets off managed"] {
            assert_eq!(Owes::read(foreign), Owes::default(), "{foreign}");
        }
    }

    #[test]
    fn nothing_is_done_before_a_card_was_chosen() {
        let mut hands = Hands::new().unwrap();
        for request in [
            Request::GiveAddress,
            Request::SwitchOn,
            Request::Open { what: What::Dhcp },
            Request::Open { what: What::Arp },
            Request::Open { what: What::Igmp },
            Request::Unknown,
        ] {
            let (reply, socket) = hands.answer(request);
            assert_eq!(refusal(&reply).reason, Reason::Forbidden);
            assert!(socket.is_none());
        }
        assert_eq!(hands.answer(Request::Done).0, Reply::Done);
    }

    #[test]
    fn the_loopback_and_cards_that_do_not_exist_are_refused() {
        let mut hands = Hands::new().unwrap();
        for nic in [
            "lo",
            "no-such-nic",
            "",
            "a-name-longer-than-any-name",
            "../x",
        ] {
            let (reply, _) = hands.answer(Request::Use {
                nic: nic.to_owned(),
                address: Ipv4Addr::new(192, 0, 2, 1),
                prefix: 24,
                force_default_route: true,
            });
            refusal(&reply);
            let (reply, _) = hands.answer(Request::Open { what: What::Dhcp });
            refusal(&reply);
        }
    }
}
