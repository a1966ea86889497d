//! A network of its own: a switch (a bridge in a network namespace) and machines plugged into it.
//!
//! Nothing of it touches the networks of the machine that runs the tests. Everything is removed
//! when the [`Net`] is dropped; what a killed run left behind is removed by the next one.

use crate::running::{Running, expect, output};
use nix::sched::{CloneFlags, setns};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);
const PREFIX: &str = "pnt";

/// A switch with its machines.
pub struct Net {
    tag: String,
    ports: AtomicU32,
    namespaces: Mutex<Vec<String>>,
}

/// A machine on the switch; its network card is `eth1`.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its network namespace.
    pub namespace: String,
    /// The switch's namespace and the port that it is plugged into.
    port: (String, String),
}

impl Net {
    /// A switch with nothing plugged in.
    pub fn new() -> Self {
        sweep();
        let tag = format!(
            "{PREFIX}-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let net = Self {
            tag,
            ports: AtomicU32::new(0),
            namespaces: Mutex::new(Vec::new()),
        };
        let switch = net.namespace("sw");
        ip(&["-n", &switch, "link", "add", "br0", "type", "bridge"]);
        // A switch that forwards at once and has no opinion on multicast.
        for setting in [
            ["stp_state", "0"],
            ["forward_delay", "0"],
            ["mcast_snooping", "0"],
        ] {
            ip(&[
                "-n", &switch, "link", "set", "br0", "type", "bridge", setting[0], setting[1],
            ]);
        }
        ip(&["-n", &switch, "link", "set", "br0", "up"]);
        net
    }

    /// Plugs a machine in. Its card is up and has no address.
    pub fn host(&self, name: &str) -> Host {
        let namespace = self.namespace(name);
        let switch = self.switch();
        let port = self.port();
        ip(&[
            "-n", &switch, "link", "add", &port, "type", "veth", "peer", "name", "eth1", "netns",
            &namespace,
        ]);
        ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]);
        ip(&["-n", &namespace, "link", "set", "eth1", "up"]);
        Host {
            namespace,
            port: (switch, port),
        }
    }

    /// Plugs in a tap for a virtual machine that runs inside the switch's namespace.
    pub fn tap(&self) -> Tap {
        let switch = self.switch();
        let tap = self.port();
        ip(&["-n", &switch, "tuntap", "add", &tap, "mode", "tap"]);
        ip(&["-n", &switch, "link", "set", &tap, "master", "br0", "up"]);
        Tap {
            namespace: switch,
            name: tap,
        }
    }

    /// A namespace that is not plugged into the switch.
    pub fn namespace(&self, name: &str) -> String {
        let namespace = format!("{}-{name}", self.tag);
        ip(&["netns", "add", &namespace]);
        if let Ok(mut all) = self.namespaces.lock() {
            all.push(namespace.clone());
        }
        // Router solicitations and the like are not what is tested here.
        for which in ["all", "default"] {
            let key = format!("net.ipv6.conf.{which}.disable_ipv6=1");
            output(Command::new("ip").args(["netns", "exec", &namespace, "sysctl", "-qw", &key]));
        }
        ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        namespace
    }

    fn switch(&self) -> String {
        format!("{}-sw", self.tag)
    }

    fn port(&self) -> String {
        format!("p{}", self.ports.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let all = self.namespaces.lock().map(|all| all.clone());
        for namespace in all.unwrap_or_default() {
            remove(&namespace);
        }
    }
}

/// A tap in the switch's namespace.
#[derive(Debug, Clone)]
pub struct Tap {
    /// The namespace in which it lies.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Host {
    /// A command that will run on this machine.
    pub fn command(&self, program: &str) -> Command {
        inside(&self.namespace, program)
    }

    /// Does something as if on this machine: what it opens belongs to this machine's network.
    pub fn on<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let network = std::fs::File::open(format!("/run/netns/{}", self.namespace));
        let network = network.expect("its network");
        std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                setns(network, CloneFlags::CLONE_NEWNET).expect("on that machine");
                work()
            });
            there.join().expect("done there")
        })
    }

    /// Starts a program on this machine that says nothing.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Running::start(command)
    }

    /// Gives its card an address, e.g. `192.168.151.7/24`.
    pub fn address(&self, cidr: &str) {
        self.ip(&["addr", "add", cidr, "brd", "+", "dev", "eth1"]);
    }

    /// Gives its card another Ethernet address.
    pub fn set_mac(&self, mac: &str) {
        self.ip(&["link", "set", "eth1", "down"]);
        self.ip(&["link", "set", "eth1", "address", mac]);
        self.ip(&["link", "set", "eth1", "up"]);
    }

    /// The Ethernet address of its card.
    pub fn mac(&self) -> String {
        expect(self.command("cat").arg("/sys/class/net/eth1/address"))
            .trim()
            .to_owned()
    }

    /// Pulls the cable, or plugs it in again.
    pub fn plug(&self, plugged: bool) {
        let (switch, port) = &self.port;
        let state = if plugged { "up" } else { "down" };
        ip(&["-n", switch, "link", "set", port, state]);
    }

    /// Limits what this machine sends, e.g. `1gbit`.
    pub fn limit(&self, rate: &str) {
        expect(
            Command::new("tc")
                .args([
                    "-n",
                    &self.namespace,
                    "qdisc",
                    "replace",
                    "dev",
                    "eth1",
                    "root",
                ])
                .args(["tbf", "rate", rate, "burst", "256k", "latency", "20ms"]),
        );
    }

    /// Gives the firewall of the machine a command.
    pub fn nft(&self, command: &str) {
        nft(&self.namespace, command);
    }

    /// Gives it a bad cable: of a hundred datagrams so many are lost, by chance, in each direction.
    ///
    /// The switch loses them. A firewall on the machine itself would tell its programs, whose
    /// `sendto` fails then.
    pub fn lose(&self, of_a_hundred: u32) {
        let (switch, port) = &self.port;
        nft(switch, "add table bridge loss");
        nft(
            switch,
            "add chain bridge loss forward { type filter hook forward priority 0; }",
        );
        for end in ["iifname", "oifname"] {
            let rule = format!(
                "add rule bridge loss forward {end} {port} meta l4proto udp \
                 numgen random mod 100 < {of_a_hundred} drop"
            );
            nft(switch, &rule);
        }
    }

    /// Runs `ip` on this machine.
    pub fn ip(&self, arguments: &[&str]) {
        let mut all = vec!["-n", self.namespace.as_str()];
        all.extend(arguments);
        ip(&all);
    }
}

/// A command that will run in a network namespace.
pub fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, program]);
    command
}

fn ip(arguments: &[&str]) {
    expect(Command::new("ip").args(arguments));
}

fn remove(namespace: &str) {
    let pids = output(Command::new("ip").args(["netns", "pids", namespace]));
    for pid in String::from_utf8_lossy(&pids.stdout).split_whitespace() {
        if let Ok(pid) = pid.parse() {
            let pid = nix::unistd::Pid::from_raw(pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
    output(Command::new("ip").args(["netns", "del", namespace]));
}

/// Removes what a run that was killed left behind.
/// Gives the firewall of a network namespace a command.
fn nft(namespace: &str, command: &str) {
    expect(inside(namespace, "nft").arg(command));
}

fn sweep() {
    let all = output(Command::new("ip").args(["netns", "list"]));
    for line in String::from_utf8_lossy(&all.stdout).lines() {
        let namespace = line.split_whitespace().next().unwrap_or_default();
        let mut parts = namespace.split('-');
        if parts.next() != Some(PREFIX) {
            continue;
        }
        let alive = parts
            .next()
            .is_some_and(|pid| std::path::Path::new("/proc").join(pid).exists());
        if !alive {
            remove(namespace);
        }
    }
}
