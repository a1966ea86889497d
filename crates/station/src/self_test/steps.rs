//! The steps, in the order of a board's way. Blocking; none outlives the time that the whole may take.

use super::asking;
use super::page::{self, Page};
use super::visits::{Pass, SESSION};
use crate::boot_tree::visitor_path;
use delivery::http::Station;
use delivery::plan::Fetch;
use delivery::{Sink, Transport as _};
use imaging::pack::decode_chunk;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};
use wire::agent::{CheckIn, Inventory, Order};
use wire::board::Serial;
use wire::disk::{Disk, DiskContent, DiskKind};
use wire::manifest::{ChunkClass, Manifest, SignedManifest};
use wire::revision::Revision;
use wire::self_test::{SelfTest, TestStep, TestVerdict};
use wire::{BoardId, ImageId, Mac, Millis};

/// Longest time for the whole.
const LONGEST: Duration = Duration::from_secs(9);
/// The board that asks is a Raspberry Pi 5 with 8 GB.
const REVISION: Revision = Revision(0x00d0_4170);

/// Where a server is asked, or why it is not.
pub type Door = Result<SocketAddrV4, String>;

/// What is tested.
#[derive(Debug)]
pub struct Ground {
    /// The station's own address, which the test asks from.
    pub own: Ipv4Addr,
    /// The DHCP server.
    pub dhcp: Door,
    /// The TFTP server.
    pub tftp: Door,
    /// The door for boards.
    pub http: Door,
    /// The image that a board would get, or why there is none.
    pub image: Result<ImageId, String>,
    /// The key that manifests are signed with.
    pub public_key: [u8; 32],
    /// The operators' door.
    pub page: Page,
    /// Is there no wire at all, because the station is that of a rehearsal?
    pub rehearsal: bool,
}

/// What became of a step: what was found, or what went wrong and what to do.
pub(super) type Outcome = Result<String, (String, String)>;

/// A test under way.
struct Test<'g> {
    ground: &'g Ground,
    pass: &'g Pass,
    begun: Instant,
    steps: Vec<TestStep>,
}

/// Runs the test.
pub fn run(ground: &Ground, pass: &Pass) -> SelfTest {
    let begun = Instant::now();
    let mut test = Test {
        ground,
        pass,
        begun,
        steps: Vec::new(),
    };
    test.step("offer", Test::offer);
    // A station that has no image yet is not at fault, and there is nothing of it to fetch.
    let no_image = test.image().err();
    let no_image = no_image.map(|(why, next)| format!("{why} {next}"));
    match &no_image {
        None => test.step("boot_files", Test::boot_files),
        Some(why) => test.leave_out("boot_files", why),
    }
    test.step("check_in", Test::check_in);
    match &no_image {
        None => {
            let manifest = test.manifest();
            test.range(manifest);
        }
        Some(why) => {
            test.leave_out("manifest", why);
            test.leave_out("range", why);
        }
    }
    test.wire();
    // No board needs the page, so what is wrong with it keeps none from being served.
    let fit = test.steps.iter().all(|s| s.verdict != TestVerdict::Failed);
    test.step("page", |test| page::look(&test.ground.page));
    SelfTest {
        fit,
        steps: test.steps,
        at: Millis::now(),
        took_ms: ms(begun),
    }
}

fn ms(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn wrong(what: impl Into<String>, next: &str) -> (String, String) {
    (what.into(), next.to_owned())
}

/// A server that does not serve.
fn closed(name: &str, why: &str) -> (String, String) {
    wrong(
        format!("{name} does not serve: {why}"),
        "Put that right first; the list of servers says the same.",
    )
}

impl Test<'_> {
    /// Tries a step, unless the time is up.
    fn step(&mut self, name: &str, try_it: impl FnOnce(&Self) -> Outcome) {
        let at = Instant::now();
        if self.begun.elapsed() >= LONGEST {
            return self.leave_out(name, "The time was up before it.");
        }
        let (verdict, found, next) = match try_it(self) {
            Ok(found) => (TestVerdict::Passed, found, None),
            Err((what, next)) => (TestVerdict::Failed, what, Some(next)),
        };
        self.steps.push(TestStep {
            step: name.to_owned(),
            verdict,
            found,
            next,
            took_ms: ms(at),
        });
    }

    fn leave_out(&mut self, name: &str, why: &str) {
        self.steps.push(TestStep {
            step: name.to_owned(),
            verdict: TestVerdict::NotRun,
            found: why.to_owned(),
            next: None,
            took_ms: 0,
        });
    }

    fn offer(&self) -> Outcome {
        let at = *self
            .ground
            .dhcp
            .as_ref()
            .map_err(|why| closed("DHCP", why))?;
        let offer = asking::offer(self.ground.own, at, self.pass.key()).map_err(|why| {
            wrong(
                format!("Asking {at} for an address brought no answer: {why}."),
                "Look whether a firewall of this machine drops UDP port 67, then restart DHCP.",
            )
        })?;
        let Some(ip) = offer.ip else {
            return Err(wrong(
                "DHCP answers, but has no address left for one more board.",
                "Give it a larger range of addresses in the settings.",
            ));
        };
        if offer.boot_server != self.ground.own {
            return Err(wrong(
                format!(
                    "The offer sends boards to {} for their boot files, not to {}.",
                    offer.boot_server, self.ground.own
                ),
                "Restart DHCP, so that it takes up the station's address.",
            ));
        }
        Ok(format!("A board would be offered {ip}."))
    }

    fn boot_files(&self) -> Outcome {
        let at = *self
            .ground
            .tftp
            .as_ref()
            .map_err(|why| closed("TFTP", why))?;
        self.image()?;
        let end = self.begun + LONGEST;
        let fetch = |file: &str| {
            let path = visitor_path(&self.pass.text(), file);
            asking::file(self.ground.own, at, &path, end).map_err(|why| {
                wrong(
                    format!("The boot file {file} did not come: {why}."),
                    "Look into the station's log for the boot files of the image, and whether a \
                     firewall of this machine drops UDP.",
                )
            })
        };
        let config = fetch("config.txt")?;
        fetch("cmdline.txt")?;
        let (mut files, mut bytes) = (2, config.len());
        for name in named(&String::from_utf8_lossy(&config)) {
            bytes += fetch(&name)?.len();
            files += 1;
        }
        Ok(format!(
            "{files} boot files came, {:.1} MB with the kernel and the installer.",
            bytes as f64 / 1e6
        ))
    }

    fn station(&self) -> Result<Station, (String, String)> {
        let at = self
            .ground
            .http
            .as_ref()
            .map_err(|why| closed("HTTP", why))?;
        let station = Station::new(&format!("http://{at}"), Some(self.ground.own));
        Ok(station.in_session(SESSION, &self.pass.text()))
    }

    fn image(&self) -> Result<ImageId, (String, String)> {
        let image = self.ground.image.clone();
        image.map_err(|why| wrong(why, "Import an image and activate it."))
    }

    fn check_in(&self) -> Outcome {
        let path = format!("/agent/v1/self-test/{}", self.pass.text());
        let answer = self.station()?.post(&path, &introduction(self.pass.key()));
        let order: Order = answer.map_err(|why| {
            wrong(
                format!("The check-in was not answered: {why}."),
                "Look into the station's log, and at the parts of the station.",
            )
        })?;
        Ok(match order {
            Order::Provision(job) => {
                format!("A blank Raspberry Pi 5 would become {}.", job.hostname)
            }
            Order::Wait { words, .. } => {
                format!("It is answered. A blank Raspberry Pi 5 would wait: {words}")
            }
            Order::BootFromDisk { .. } | Order::Unknown => "It is answered.".to_owned(),
        })
    }

    fn manifest(&mut self) -> Option<SignedManifest> {
        let mut got = None;
        self.step("manifest", |test| {
            let image = test.image()?;
            let next = "Import the image again.";
            let signed = test.station()?.manifest(image);
            let signed = signed.map_err(|why| wrong(format!("It did not come: {why}."), next))?;
            imaging::key::verify(&test.ground.public_key, &signed)
                .map_err(|why| wrong(format!("A board would refuse it: {why}."), next))?;
            let found = format!(
                "The manifest of image {} is signed and whole.",
                image.short()
            );
            got = Some(signed);
            Ok(found)
        });
        got
    }

    fn range(&mut self, manifest: Option<SignedManifest>) {
        let Some(signed) = manifest else {
            return self.leave_out("range", "There is no manifest to fetch by.");
        };
        self.step("range", |test| {
            let next = "Look at the disk of the data folder, and import the image again.";
            let damaged = |why: String| wrong(why, next);
            let manifest: Manifest = serde_json::from_slice(&signed.bytes)
                .map_err(|why| damaged(format!("The manifest cannot be read: {why}.")))?;
            let mut chunks = manifest.chunks.iter().enumerate();
            let Some((index, chunk)) = chunks.find(|(_, c)| c.class == ChunkClass::Data) else {
                return Ok("The image holds no data to fetch.".to_owned());
            };
            let length = usize::try_from(chunk.packed).unwrap_or(usize::MAX);
            let fetch = Fetch {
                id: 0,
                range: chunk.offset..chunk.offset + chunk.packed,
                frames: vec![(index, length)],
            };
            let mut frame = Frame::default();
            let pack = test.station()?.pack(signed.id);
            pack.fetch(&fetch, &mut frame)
                .map_err(|why| damaged(format!("A piece of the image did not come: {why}.")))?;
            let raw = decode_chunk(&manifest, index, &frame.0)
                .map_err(|why| damaged(format!("A piece of the image is damaged: {why}.")))?;
            Ok(format!(
                "A piece of {:.1} MB came and has the right hash.",
                raw.len() as f64 / 1e6
            ))
        });
    }

    fn wire(&mut self) {
        let why = if self.ground.rehearsal {
            "A rehearsal has no cable that could be tested."
        } else {
            "These packets did not leave this machine. Whether broadcasts pass cable and switch only \
             a board can show: switch one on."
        };
        self.leave_out("wire", why);
    }
}

/// The files that a `config.txt` names: the installer and the last kernel, that of the newest boards.
fn named(config: &str) -> Vec<String> {
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim().to_owned());
    let kernel = config.lines().rev().find_map(|l| value(l, "kernel="));
    let installer = config.lines().find_map(|l| value(l, "initramfs "));
    let installer = installer.and_then(|words| Some(words.split(' ').next()?.to_owned()));
    installer.into_iter().chain(kernel).collect()
}

/// How a synthetic board introduces itself: a number and an address that nobody else has.
fn introduction(key: [u8; super::visits::KEY]) -> CheckIn {
    let mut low = [0; 4];
    low.copy_from_slice(&key[..4]);
    let low = u32::from_be_bytes(low);
    // Locally administered (IEEE 802, 48-bit addresses).
    let mut mac = [2; 6];
    mac[1..].copy_from_slice(&key[4..9]);
    let mac = Mac(mac);
    CheckIn {
        protocol: 1,
        agent: "self-test".to_owned(),
        token: None,
        inventory: Inventory {
            board: BoardId::Pi(low),
            serial: Some(Serial(u64::from(low))),
            revision: Some(REVISION),
            model: "Raspberry Pi 5".to_owned(),
            arch: "aarch64".to_owned(),
            ram_mib: 8192,
            mac,
            macs: vec![mac],
            link_mbit: Some(1000),
            disks: vec![Disk {
                path: "/dev/nvme0n1".to_owned(),
                kind: DiskKind::Nvme,
                bytes: 1_000_000_000_000,
                sector: 512,
                model: "self-test".to_owned(),
                serial: String::new(),
                removable: false,
                read_only: false,
                content: DiskContent::Blank,
            }],
            eeprom_version: None,
            boot_order: None,
            temperature_millicelsius: None,
            throttled: None,
        },
    }
}

/// Takes one frame.
#[derive(Debug, Default)]
struct Frame(Vec<u8>);

impl Sink for Frame {
    fn room(&mut self, _: usize, bytes: usize) -> Option<Vec<u8>> {
        Some(Vec::with_capacity(bytes))
    }

    fn frame(&mut self, _: usize, frame: Vec<u8>) {
        self.0 = frame;
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn the_files_of_a_configuration_are_found() {
        let config = "[all]\ninitramfs agent.cpio followkernel\n[pi4]\nkernel=kernel8.img\n\
                      [pi5]\nkernel=kernel_2712.img\n[all]\n";
        assert_eq!(named(config), ["agent.cpio", "kernel_2712.img"]);
        assert_eq!(named("[all]\n"), [""; 0]);
    }
}
