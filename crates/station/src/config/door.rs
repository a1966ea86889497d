//! Where a station is spoken to: the Unix socket of its door for operators.
//!
//! A person's station has it in its data folder, for its owner alone. The service has it in the folder
//! that systemd makes for it in `/run`, for the members of its group; its data folder holds a link to
//! it. Whoever names no data folder speaks to a station of their own when one runs, and else to the
//! service.

use super::meant::Config;
use super::place::Environment;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The service's socket, as `packaging/systemd/punnet.service` has it made.
pub const SERVICE_SOCKET: &str = "/run/punnet/station/punnet.sock";
const NAME: &str = "punnet.sock";

/// Where the socket is, apart from the data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Door {
    /// The folder that systemd made for the sockets of the service.
    pub runtime: Option<PathBuf>,
    /// Somebody named the data folder, so it is that station or none.
    pub named: bool,
    /// The data folder of the service, where one is installed and nobody said what else is meant.
    pub service: Option<PathBuf>,
}

impl Door {
    pub(super) fn of(named: bool, environment: &Environment) -> Self {
        Self {
            runtime: environment.runtime_directory.clone(),
            named,
            service: environment.service.clone(),
        }
    }
}

impl Config {
    /// The Unix socket of the door for operators.
    pub fn socket(&self) -> PathBuf {
        self.door
            .runtime
            .as_ref()
            .unwrap_or(&self.data_dir)
            .join(NAME)
    }

    /// Where to look for a running station, in this order.
    pub fn sockets(&self) -> Vec<PathBuf> {
        let mut all = vec![self.socket()];
        if !self.door.named && all[0] != Path::new(SERVICE_SOCKET) {
            all.push(SERVICE_SOCKET.into());
        }
        all
    }

    /// The data folder of the service, when the person may well mean that one and not this: it is
    /// installed, and nobody named this one.
    pub fn beside_service(&self) -> Option<&Path> {
        let service = self.door.service.as_deref()?;
        (!self.door.named && self.data_dir != service).then_some(service)
    }

    /// Opens the socket. The engine's lock is held, so a file that lies there belongs to nobody.
    pub fn open_socket(&self) -> io::Result<UnixListener> {
        let path = self.socket();
        make_room(&path)?;
        let listener = UnixListener::bind(&path)?;
        let who = if self.door.runtime.is_some() {
            0o660
        } else {
            0o600
        };
        fs::set_permissions(&path, Permissions::from_mode(who))?;
        listener.set_nonblocking(true)?;
        let link = self.data_dir.join(NAME);
        if link != path {
            make_room(&link)?;
            symlink(&path, &link)?;
        }
        Ok(listener)
    }
}

fn make_room(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_service_lets_its_group_in_and_is_found_from_its_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (data, run) = (folder.path().join("data"), folder.path().join("run"));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&run).unwrap();
        let mut config = Config::defaults(&Environment::default());
        config.data_dir.clone_from(&data);
        let own = config.open_socket().unwrap();
        assert_eq!(mode(&data.join(NAME)), 0o600);
        drop(own);

        config.door.runtime = Some(run.clone());
        // What another run left is in nobody's way.
        for _ in 0..2 {
            let _service = config.open_socket().unwrap();
            assert_eq!(mode(&run.join(NAME)), 0o660);
            std::os::unix::net::UnixStream::connect(data.join(NAME)).unwrap();
        }
    }

    #[test]
    fn who_names_a_data_folder_means_its_station() {
        let at_home = Environment {
            home: Some("/home/tess".into()),
            ..Environment::default()
        };
        let plain = Config::defaults(&at_home);
        let own = PathBuf::from("/home/tess/.local/share/punnet/punnet.sock");
        assert_eq!(plain.sockets(), [own, SERVICE_SOCKET.into()]);
        let named = super::super::understand("data_dir = \"/srv/p\"", &at_home).unwrap();
        assert_eq!(named.sockets(), [PathBuf::from("/srv/p/punnet.sock")]);
        let service = Environment {
            runtime_directory: Some("/run/punnet/station".into()),
            ..Environment::default()
        };
        let service = Config::defaults(&service);
        assert_eq!(service.sockets(), [PathBuf::from(SERVICE_SOCKET)]);
    }
}
