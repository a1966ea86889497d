//! DHCP and TFTP clients and a rival DHCP server that nobody here wrote.
//!
//! ISC `dhclient` can be made to present any option, so it stands for a Raspberry Pi's bootloader
//! (options 60, 93, 97 and the option 55 list as the boards send them) and, without them, for any
//! laptop that somebody plugs in.

use crate::net::Host;
use crate::running::{Running, output};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a Raspberry Pi says of itself while it boots.
#[derive(Debug, Clone, Copy)]
pub struct Pi {
    /// Low 32 bits of its serial number.
    pub serial: u32,
    /// Its revision code.
    pub revision: u32,
    /// The four characters with which option 97 begins, as sent.
    pub magic: [u8; 4],
}

impl Pi {
    /// A Raspberry Pi 5 with 8 GB.
    pub fn five(serial: u32) -> Self {
        Self {
            serial,
            revision: 0x00d0_4170,
            magic: *b"RPi5",
        }
    }

    /// The name of its TFTP folder.
    pub fn folder(&self) -> String {
        format!("{:08x}", self.serial)
    }

    /// Option 97: type, magic, revision and serial little-endian, the MAC's tail between them.
    fn option_97(&self, mac: &str) -> String {
        let tail: Vec<u8> = mac
            .split(':')
            .skip(2)
            .map(|octet| u8::from_str_radix(octet, 16).expect("an octet"))
            .collect();
        let mut bytes = vec![0];
        bytes.extend(self.magic);
        bytes.extend(self.revision.to_le_bytes());
        bytes.extend(tail);
        bytes.extend(self.serial.to_le_bytes());
        let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
        hex.join(":")
    }
}

/// Whom a DHCP client pretends to be.
#[derive(Debug, Clone, Copy)]
pub enum As {
    /// A Raspberry Pi's bootloader.
    Pi(Pi),
    /// Whatever the program is by itself.
    Itself,
}

/// What a DHCP client got.
#[derive(Debug, Clone)]
pub struct Got {
    /// Its address.
    pub address: Ipv4Addr,
    /// Every field of the answer, as `dhclient` names it (`new_…` without the `new_`).
    pub fields: BTreeMap<String, String>,
}

impl Got {
    /// One field, empty when absent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Asks for an address with ISC `dhclient`, without any memory of an earlier one. `None` when
/// nobody answered for `seconds`.
pub fn dhclient(host: &Host, whom: As, seconds: u32) -> Option<Got> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name);
    let mac = host.mac();
    std::fs::write(file("conf"), dhclient_conf(whom, &mac, seconds)).expect("written");
    let result = file("result");
    let script = format!(
        "#!/bin/sh\ncase $reason in\nBOUND|RENEW|REBIND|REBOOT)\n\
         ip addr replace $new_ip_address/$new_subnet_mask brd + dev $interface\n\
         env >{result}.partial; mv {result}.partial {result} ;;\nesac\nexit 0\n",
        result = result.display()
    );
    std::fs::write(file("script"), script).expect("written");
    expect_executable(&file("script"));
    let mut client = host.command("dhclient");
    client.args(["-4", "-1"]);
    for (flag, name) in [
        ("-cf", "conf"),
        ("-lf", "leases"),
        ("-pf", "pid"),
        ("-sf", "script"),
    ] {
        client.arg(flag).arg(file(name));
    }
    let said = output(client.arg("eth1"));
    // It stays in the background once it is bound; its lease is what counts here.
    if let Ok(pid) = std::fs::read_to_string(file("pid")) {
        output(Command::new("kill").args(["-9", pid.trim()]));
    }
    if !said.status.success() {
        return None;
    }
    let text = std::fs::read_to_string(result).ok()?;
    let fields: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("new_")?.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let address = fields.get("ip_address")?.parse().ok()?;
    Some(Got { address, fields })
}

fn dhclient_conf(whom: As, mac: &str, seconds: u32) -> String {
    let mut conf = format!("timeout {seconds};\nretry 1;\ninitial-interval 1;\n");
    if let As::Pi(pi) = whom {
        conf.push_str(
            "option arch code 93 = unsigned integer 16;\n\
             option undi code 94 = string;\n\
             option puid code 97 = string;\n",
        );
        for code in 128..=135 {
            let _ = writeln!(conf, "option pxe{code} code {code} = string;");
        }
        let _ = write!(
            conf,
            "send vendor-class-identifier \"PXEClient:Arch:00000:UNDI:002001\";\n\
             send arch 0;\nsend undi 01:02:01;\nsend puid {};\n\
             request subnet-mask, routers, vendor-encapsulated-options, vendor-class-identifier, \
             tftp-server-name, bootfile-name, pxe128, pxe129, pxe130, pxe131, pxe132, pxe133, \
             pxe134, pxe135;\n",
            pi.option_97(mac)
        );
    }
    conf
}

/// Asks for an address with busybox `udhcpc`.
pub fn udhcpc(host: &Host, seconds: u32) -> Option<Ipv4Addr> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = folder.path().join("script");
    let result = folder.path().join("result");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = bound ] && echo $ip >{}\nexit 0\n",
        result.display()
    );
    std::fs::write(&script, text).expect("written");
    expect_executable(&script);
    let seconds = seconds.to_string();
    output(
        host.command("udhcpc")
            .args(["-n", "-q", "-f", "-i", "eth1", "-T", "1", "-A", "1", "-t"])
            .args([&seconds, "-s"])
            .arg(script),
    );
    std::fs::read_to_string(result).ok()?.trim().parse().ok()
}

fn expect_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("permitted");
}

/// A DHCP server that somebody left running on the same wire: dnsmasq on `host`, which must have
/// an address in 192.168.151.0/24.
pub fn rival(host: &Host) -> Running {
    let mut command = host.command("dnsmasq");
    command
        .args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--interface=eth1",
        ])
        .args([
            "--bind-interfaces",
            "--no-ping",
            "--dhcp-authoritative",
            "--dhcp-leasefile=/dev/null",
        ])
        .arg("--dhcp-range=192.168.151.60,192.168.151.80,1h")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running::start(command)
}

/// A TFTP client program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tftp {
    /// tftp-hpa's client: no options, 512-byte blocks.
    Hpa,
    /// atftp with tsize and the block size a Raspberry Pi 5 uses.
    Atftp,
    /// curl with that block size.
    Curl,
    /// busybox's client with that block size.
    Busybox,
}

impl Tftp {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hpa, Self::Atftp, Self::Curl, Self::Busybox];

    /// The program it needs.
    pub fn program(self) -> &'static str {
        match self {
            Self::Hpa => "tftp",
            Self::Atftp => "atftp",
            Self::Curl => "curl",
            Self::Busybox => "busybox",
        }
    }

    /// Fetches a file from a server on port 69.
    ///
    /// # Errors
    /// What the client said.
    pub fn get(self, host: &Host, server: &str, path: &str) -> Result<Vec<u8>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let local: PathBuf = folder.path().join("file");
        let mut command = host.command(self.program());
        match self {
            Self::Hpa => {
                command
                    .args(["-m", "binary", server, "-c", "get", path])
                    .arg(&local);
            }
            Self::Atftp => {
                command
                    .args([
                        "--option",
                        "blksize 1468",
                        "--option",
                        "tsize 0",
                        "--get",
                        "-r",
                        path,
                    ])
                    .arg("-l")
                    .arg(&local)
                    .arg(server);
            }
            Self::Curl => {
                command
                    .args(["--silent", "--show-error", "--max-time", "60"])
                    .args(["--tftp-blksize", "1468", "--path-as-is", "-o"])
                    .arg(&local)
                    .arg(format!("tftp://{server}/{path}"));
            }
            Self::Busybox => {
                command
                    .args(["tftp", "-g", "-b", "1468", "-r", path, "-l"])
                    .arg(&local);
                command.arg(server);
            }
        }
        let said = output(&mut command);
        let words = format!(
            "{}{}",
            String::from_utf8_lossy(&said.stdout),
            String::from_utf8_lossy(&said.stderr)
        );
        // tftp-hpa ends well after an error and only says so.
        if !said.status.success() || words.to_lowercase().contains("error") {
            return Err(words);
        }
        std::fs::read(&local).map_err(|e| format!("{e}: {words}"))
    }
}
