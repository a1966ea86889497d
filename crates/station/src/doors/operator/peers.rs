//! Who may use the operator's Unix socket: root, the station's own user, and members of the group
//! that the socket was given. The file's mode says the same to the kernel; here it is also found out
//! who it is, for the record.

use crate::doors::listen::{Ends, Peer};
use crate::doors::routes::{Caller, refused};
use crate::who::{Who, user_name};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::middleware::{Next, from_fn_with_state};
use nix::unistd::{Gid, Group, User, getegid, geteuid, getgrouplist};
use std::ffi::CString;
use wire::Refusal;
use wire::operator::{Door, Role};
use wire::refusal::Code;

/// The group whose members work with the station when it runs as a service of this group.
const USUAL_GROUP: &str = "punnet";

/// Who may come in.
#[derive(Debug, Clone)]
pub struct Peers {
    own: u32,
    group: Option<Gid>,
}

impl Peers {
    /// Root and the station's own user, and the members of a group: the one that is named, else
    /// `punnet` when that is the group this process runs as.
    pub fn of_process(named: Option<&str>) -> Result<Self, String> {
        let group = match named {
            Some(name) => match Group::from_name(name) {
                Ok(Some(group)) => Some(group.gid),
                Ok(None) => return Err(format!("there is no group {name} on this machine")),
                Err(why) => return Err(format!("the group {name} cannot be looked up: {why}")),
            },
            None => match Group::from_gid(getegid()) {
                Ok(Some(own)) if own.name == USUAL_GROUP => Some(own.gid),
                _ => None,
            },
        };
        Ok(Self {
            own: geteuid().as_raw(),
            group,
        })
    }

    /// The group, when there is one.
    pub fn group(&self) -> Option<Gid> {
        self.group
    }

    fn who(&self, peer: Peer) -> Result<Who, Refusal> {
        let name = user_name(peer.uid);
        if peer.uid != 0 && peer.uid != self.own && !self.is_member(peer) {
            let text = format!("The user {name} of this machine may not speak to the station.");
            return Err(Refusal::new(Code::Forbidden, text).next(
                "Use sudo, or have an administrator of this machine add you to the station's group.",
            ));
        }
        Ok(Who {
            name,
            role: Some(Role::Admin),
            door: Door::Socket,
            ..Who::nobody("this machine".to_owned())
        })
    }

    fn is_member(&self, peer: Peer) -> bool {
        let Some(group) = self.group else {
            return false;
        };
        if Gid::from_raw(peer.gid) == group {
            return true;
        }
        let user = User::from_uid(peer.uid.into()).ok().flatten();
        let name = user.and_then(|user| Some((CString::new(user.name).ok()?, user.gid)));
        let groups = name.and_then(|(name, gid)| getgrouplist(&name, gid).ok());
        groups.is_some_and(|groups| groups.contains(&group))
    }
}

/// Puts this before every route.
pub fn known(router: Router, peers: Peers) -> Router {
    router.layer(from_fn_with_state(peers, check))
}

async fn check(State(peers): State<Peers>, mut request: Request, next: Next) -> Response<Body> {
    let ends = request.extensions().get::<Ends>().copied();
    let Some(peer) = ends.and_then(|ends| ends.user) else {
        return refused(Refusal::internal("The system does not say who is asking."));
    };
    // Users may be kept on another machine.
    let found = tokio::task::spawn_blocking(move || peers.who(peer)).await;
    let broken = |_| {
        Err(Refusal::internal(
            "It could not be found out who is asking.",
        ))
    };
    match found.unwrap_or_else(broken) {
        Ok(who) => {
            request.extensions_mut().insert(Caller { who, open: false });
            next.run(request).await
        }
        Err(refusal) => refused(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(own: u32, group: Option<u32>) -> Peers {
        Peers {
            own,
            group: group.map(Gid::from_raw),
        }
    }

    #[test]
    fn root_the_own_user_and_the_group_come_in_and_others_do_not() {
        let mine = peers(4_000_001, Some(4_000_100));
        let who = |uid, gid| mine.who(Peer { uid, gid });
        assert_eq!(who(0, 0).unwrap().name, "root");
        assert_eq!(who(4_000_001, 9).unwrap().name, "uid 4000001");
        assert_eq!(who(4_000_002, 4_000_100).unwrap().role, Some(Role::Admin));
        let refusal = who(4_000_002, 4_000_101).unwrap_err();
        assert_eq!(refusal.code, Code::Forbidden);
        assert!(refusal.message.contains("uid 4000002"), "{refusal}");
        let alone = peers(4_000_001, None);
        assert!(
            alone
                .who(Peer {
                    uid: 4_000_002,
                    gid: 4_000_100
                })
                .is_err()
        );
    }

    #[test]
    fn a_group_that_does_not_exist_is_said() {
        let why = Peers::of_process(Some("no-such-group")).unwrap_err();
        assert!(why.contains("no-such-group"), "{why}");
    }
}
