//! Where rights can be had, in the order in which the places are tried.

use super::client::Client;
use punnet_net::{Channel, SERVICE_SOCKET, has_rights};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::process::{Child, Command};

/// Where the package puts the helper.
const INSTALLED: &str = "/usr/lib/punnet/punnet-net";
const SUDO: &str = "/usr/bin/sudo";
const PKEXEC: &str = "/usr/bin/pkexec";
/// A person may have to find the password first.
const PROMPT: Duration = Duration::from_mins(3);
/// What the helper needs, as `setcap` spells it.
const CAPABILITIES: &str = "cap_net_bind_service,cap_net_admin,cap_net_raw+ep";

/// The places that are known.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// `PUNNET_NET`: the helper, and no other place.
    pub named: Option<PathBuf>,
    /// This process has the rights itself.
    pub own: bool,
    /// The socket of a helper that runs as a service.
    pub service: Option<PathBuf>,
    /// Programs of the helper: the package's, and the one built beside this program.
    pub helpers: Vec<PathBuf>,
    /// May a person be asked for a password? Only where a desktop is.
    pub desktop: bool,
}

/// One way to get rights.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// This process has them.
    Own,
    /// A helper that runs as a service listens here.
    Service(PathBuf),
    /// The program has them from its file.
    Direct(PathBuf),
    /// The program gets them from another one, without a question.
    Sudo(PathBuf),
    /// The program gets them from another one, which asks the person.
    Pkexec(PathBuf),
}

impl Search {
    /// The places of this process.
    pub fn of_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let beside = std::env::current_exe().ok().and_then(|program| {
            let helper = program.parent()?.join("punnet-net");
            helper.is_file().then_some(helper)
        });
        let installed = Some(PathBuf::from(INSTALLED)).filter(|p| p.is_file());
        Self {
            named: set("PUNNET_NET").map(PathBuf::from),
            own: has_rights(),
            service: Some(PathBuf::from(SERVICE_SOCKET)).filter(|p| p.exists()),
            helpers: installed.into_iter().chain(beside).collect(),
            desktop: set("DISPLAY").or_else(|| set("WAYLAND_DISPLAY")).is_some(),
        }
    }

    fn ways(&self) -> Vec<Way> {
        if let Some(named) = &self.named {
            return vec![Way::Direct(named.clone())];
        }
        if self.own {
            return vec![Way::Own];
        }
        let mut ways: Vec<Way> = self.service.iter().cloned().map(Way::Service).collect();
        ways.extend(self.helpers.iter().cloned().map(Way::Direct));
        if Path::new(SUDO).exists() {
            ways.extend(self.helpers.iter().cloned().map(Way::Sudo));
        }
        if self.desktop && Path::new(PKEXEC).exists() {
            // One question is enough.
            ways.extend(self.helpers.first().cloned().map(Way::Pkexec));
        }
        ways
    }

    /// Tries the ways in turn. Where none leads anywhere, the error says what a person can do.
    pub(super) async fn find(&self) -> Result<Client, String> {
        for way in self.ways() {
            match way.go().await {
                Ok(client) => return Ok(client),
                Err(why) => tracing::debug!(?way, %why, "no rights this way"),
            }
        }
        Err(self.advice())
    }

    /// What a person can do to let the station have rights.
    fn advice(&self) -> String {
        let installed = Path::new(INSTALLED);
        let helper = self.named.as_ref().or(self.helpers.first());
        let first = match helper {
            Some(helper) if helper != installed => format!(
                "give the helper its rights once (`sudo setcap {CAPABILITIES} {}`)",
                helper.display()
            ),
            Some(_) => "join the group punnet (`sudo usermod -aG punnet \"$USER\"`, then log out \
                        and in)"
                .to_owned(),
            None => "install the helper punnet-net".to_owned(),
        };
        format!(
            "To let Punnet serve boards, {first}, or start Punnet with sudo. A rehearsal works \
             without."
        )
    }
}

impl Way {
    async fn go(&self) -> io::Result<Client> {
        match self {
            Self::Own => Client::own().await,
            Self::Service(path) => {
                let socket = unix_socket()?;
                connect(&socket, &SocketAddrUnix::new(path)?)?;
                let through = format!("the service at {}", path.display());
                Client::greeted(socket, None, through).await
            }
            Self::Direct(path) => {
                let (near, far) = Channel::pair()?;
                let mut command = Command::new(path);
                command.stdin(far);
                let process = start(command)?;
                let through = path.display().to_string();
                Client::greeted(near, Some(process), through).await
            }
            Self::Sudo(path) => {
                let mut command = Command::new(SUDO);
                command.arg("-n").arg("--").arg(path);
                fetched(command, format!("sudo {}", path.display())).await
            }
            Self::Pkexec(path) => {
                let mut command = Command::new(PKEXEC);
                command.arg("--disable-internal-agent").arg(path);
                fetched(command, format!("pkexec {}", path.display())).await
            }
        }
    }
}

/// Starts a process that outlives a Ctrl-C at our terminal, so that it can undo what it did.
fn start(mut command: Command) -> io::Result<Child> {
    command.stdout(Stdio::null()).process_group(0).spawn()
}

/// Has a helper started by a program that passes no sockets on: it connects to one.
async fn fetched(mut command: Command, through: String) -> io::Result<Client> {
    let folder = PrivateFolder::new()?;
    let path = folder.0.join("net.sock");
    let listener = unix_socket()?;
    bind(&listener, &SocketAddrUnix::new(&path)?)?;
    listen(&listener, 1)?;
    let listener = std::os::unix::net::UnixListener::from(listener);
    listener.set_nonblocking(true)?;
    // The runtime does not mind that this one keeps messages apart.
    let listener = UnixListener::from_std(listener)?;
    command.arg("--connect").arg(&path).stdin(Stdio::null());
    let mut process = start(command)?;
    let socket = tokio::select! {
        accepted = tokio::time::timeout(PROMPT, listener.accept()) => {
            let (socket, _) = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            socket.into_std()?.into()
        }
        ended = process.wait() => {
            let text = format!("it ended before it was there ({})", ended?);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
    };
    Client::greeted(socket, Some(process), through).await
}

fn unix_socket() -> io::Result<OwnedFd> {
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// A folder that only this user can look into, gone when it is dropped.
struct PrivateFolder(PathBuf);

impl PrivateFolder {
    fn new() -> io::Result<Self> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(io::Error::other)?;
        let base = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let base = base.unwrap_or_else(std::env::temp_dir);
        let folder = base.join(format!("punnet-net-{}", hex::encode(name)));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        Ok(Self(folder))
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // A folder that stays is empty and harmless.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rights_come_first() {
        let helper = PathBuf::from("/opt/punnet-net");
        let mut search = Search {
            helpers: vec![helper.clone()],
            service: Some("/run/x.sock".into()),
            ..Search::default()
        };
        let ways = search.ways();
        assert_eq!(
            ways.get(..2),
            Some(&[Way::Service("/run/x.sock".into()), Way::Direct(helper)][..])
        );
        assert!(!ways.iter().any(|w| matches!(w, Way::Pkexec(_))));
        search.own = true;
        assert_eq!(search.ways(), [Way::Own]);
        search.named = Some("/tmp/named".into());
        assert_eq!(search.ways(), [Way::Direct("/tmp/named".into())]);
    }

    #[test]
    fn advice_fits_how_punnet_was_installed() {
        let of = |helpers: &[&str]| {
            Search {
                helpers: helpers.iter().map(PathBuf::from).collect(),
                ..Search::default()
            }
            .advice()
        };
        assert!(of(&[INSTALLED]).contains("group punnet"));
        let built = of(&["/src/target/debug/punnet-net"]);
        assert!(built.contains("setcap") && built.contains("/src/target/debug"));
        for advice in [of(&[]), built] {
            assert!(
                advice.contains("sudo") && advice.contains("rehearsal"),
                "{advice}"
            );
        }
    }
}
