//! The bootloader of a virtual board, without its network: which file it wants next, and what it
//! makes of the answer.
//!
//! It is a plain state machine. [`Bootloader::next`] says what to ask for, [`Bootloader::answer`]
//! takes what came of it; in the end it has loaded a system, or says why there is none. The order
//! of the questions lies in `plan`, the words of `config.txt` in [`config`].

pub mod cmdline;
pub mod config;
mod eeprom;
mod filters;
mod loaded;
pub mod order;
mod plan;
mod ramdisk;
#[cfg(test)]
mod tests;

pub use eeprom::Eeprom;
pub use loaded::Loaded;

use crate::identity::Identity;
use crate::model::Model;
use bytes::Bytes;
use config::Config;
use plan::{Program, Step, Want, Way};
use ramdisk::Ramdisk;
use std::collections::{HashMap, VecDeque};

/// The version of a board's firmware, as far as a server notices it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firmware {
    /// Does the block number go on at 0 after 65535? Not before 2025-09-23.
    pub rollover: bool,
    /// Block size it asks for: 1468 since 2022-10-03, 1024 before.
    pub block: u16,
    /// Does `start4.elf` ask for a block size? Some versions do not.
    pub start_elf_asks_block: bool,
}

impl Default for Firmware {
    fn default() -> Self {
        Self {
            rollover: true,
            block: 1468,
            start_elf_asks_block: true,
        }
    }
}

impl Firmware {
    /// What a board from an old stock may have: the block number ends at 65535.
    pub const OLD: Self = Self {
        rollover: false,
        block: 1024,
        start_elf_asks_block: false,
    };
}

/// The TFTP options of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Options {
    /// None: blocks of 512 bytes.
    None,
    /// `tsize 0`.
    Size,
    /// `tsize 0 blksize N`.
    SizeAndBlock(u16),
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The path as it goes over the wire.
    pub path: String,
    /// True when only the server's first answer is wanted.
    pub probe: bool,
    /// The options sent along.
    pub options: Options,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To a probe: it is there.
    There,
    /// The file; `acknowledged` is true when the server answered the options with an OACK.
    File {
        /// Its content.
        bytes: Bytes,
        /// Were the options acknowledged?
        acknowledged: bool,
    },
    /// The server has no such file.
    NotFound,
    /// No answer, or a broken transfer; why.
    Failed(String),
}

/// What a bootloader does next.
#[derive(Debug)]
pub enum Next {
    /// Ask the server and give the answer to [`Bootloader::answer`].
    Ask(Ask),
    /// Start the kernel.
    Start(Box<Loaded>),
    /// The EEPROM was updated; the board starts again with this one.
    Update(Eeprom),
    /// There is nothing to boot here; on to the next place of the boot order.
    GiveUp(String),
    /// The kernel would start and die without a word.
    Dead(String),
}

/// A boot in progress.
#[derive(Debug)]
pub struct Bootloader {
    board: Identity,
    firmware: Firmware,
    eeprom: Eeprom,
    plan: VecDeque<Step>,
    step: Option<Step>,
    queue: VecDeque<Item>,
    folder: String,
    includes: HashMap<String, Vec<u8>>,
    config_text: Bytes,
    offer: Option<eeprom::Offer>,
    ramdisk: Option<Ramdisk>,
    loaded: Loaded,
    ending: Option<Ending>,
}

/// A request with the name of the file, as the configuration calls it.
#[derive(Debug, Clone)]
struct Item {
    name: String,
    ask: Ask,
}

#[derive(Debug, Clone)]
enum Ending {
    GiveUp(String),
    Dead(String),
    Update(Eeprom),
}

impl Bootloader {
    /// A board that begins to ask for files.
    pub fn new(board: Identity, firmware: Firmware, eeprom: Eeprom) -> Self {
        Self {
            plan: plan::of(&board).into(),
            folder: format!("{}/", board.folder()),
            board,
            firmware,
            eeprom,
            step: None,
            queue: VecDeque::new(),
            includes: HashMap::new(),
            config_text: Bytes::new(),
            offer: None,
            ramdisk: None,
            loaded: Loaded::default(),
            ending: None,
        }
    }

    /// What it does next. Says the same until it is answered; a loaded system is handed out once.
    pub fn next_step(&mut self) -> Next {
        loop {
            if let Some(ending) = &self.ending {
                return match ending.clone() {
                    Ending::GiveUp(why) => Next::GiveUp(why),
                    Ending::Dead(why) => Next::Dead(why),
                    Ending::Update(eeprom) => Next::Update(eeprom),
                };
            }
            let Some(item) = self.queue.front() else {
                match self.plan.pop_front() {
                    Some(step) => self.begin(step),
                    None => return Next::Start(Box::new(self.start())),
                }
                continue;
            };
            let Some(ramdisk) = &self.ramdisk else {
                return Next::Ask(item.ask.clone());
            };
            let found = ramdisk.read(&item.ask.path);
            self.answer(match found {
                Some(_) if self.queue[0].ask.probe => Answer::There,
                Some(bytes) => Answer::File {
                    bytes,
                    acknowledged: true,
                },
                None => Answer::NotFound,
            });
        }
    }

    fn start(&mut self) -> Loaded {
        self.loaded.folder.clone_from(&self.folder);
        std::mem::take(&mut self.loaded)
    }

    // Puts the requests of a step into the queue; a step may have none.
    fn begin(&mut self, step: Step) {
        self.step = Some(step);
        let config = &self.loaded.config;
        let os = |name: &String| format!("{}{name}", config.os_prefix);
        let overlay = |name: &str| format!("{}{name}", config.overlay_prefix);
        // Only the Pi 5 joins its folder and these names with a second slash.
        let five = matches!(self.board.model, Model::Pi5 | Model::Cm5);
        match step.2 {
            Want::Folder(names) => self.enqueue(names.iter().copied(), false),
            Want::Config { doubled } => self.enqueue(["config.txt"], doubled),
            Want::Firmware(name) | Want::Optional(name) => self.enqueue([name], false),
            Want::SelfUpdate => self.enqueue(["pieeprom.sig"], false),
            Want::Ramdisk if config.boot_ramdisk => self.enqueue(["boot.img"], false),
            Want::OsCheck if config.os_check && config.device_tree.is_none() => {
                self.enqueue([self.board.model.traits().device_tree], false);
            }
            Want::Ramdisk | Want::OsCheck => {}
            Want::PickKernel => {
                if let Some(name) = &config.kernel {
                    self.enqueue([os(name)], false);
                } else {
                    let names = self.board.model.kernels(config.arm_64bit);
                    let names: Vec<_> = names.iter().map(|n| os(&(*n).to_owned())).collect();
                    self.enqueue(names, false);
                }
            }
            Want::Initramfs => {
                let names: Vec<_> = if config.auto_initramfs && config.initramfs.is_empty() {
                    self.initramfs_of_kernel().into_iter().collect()
                } else {
                    config.initramfs.iter().map(os).collect()
                };
                self.enqueue(names, false);
            }
            Want::DeviceTree => {
                let model = self.board.model.traits().device_tree;
                let name = os(config.device_tree.as_ref().unwrap_or(&model.to_owned()));
                self.enqueue([name], false);
            }
            Want::OverlayMap => self.enqueue([overlay("overlay_map.dtb")], five),
            Want::D0Overlay => self.enqueue([overlay("bcm2712d0.dtbo")], five),
            Want::Overlays => {
                let names = config
                    .overlays
                    .iter()
                    .map(|n| overlay(&format!("{n}.dtbo")));
                let names: Vec<_> = names.collect();
                self.enqueue(names, five);
            }
            Want::Cmdline => self.enqueue([os(&config.cmdline)], five),
            Want::Kernel => self.enqueue([self.loaded.kernel.0.clone()], false),
        }
    }

    fn enqueue<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>, doubled: bool) {
        let Some((program, way, _)) = self.step else {
            return;
        };
        let options = match program {
            Program::Rom => Options::None,
            Program::StartElf3 => Options::Size,
            Program::StartElf4 if !self.firmware.start_elf_asks_block => Options::Size,
            Program::Eeprom | Program::StartElf4 => Options::SizeAndBlock(self.firmware.block),
        };
        // The ROM asks in the root, before anything knows the folder.
        let folder = match program {
            Program::Rom => "",
            _ => &self.folder,
        };
        let slash = if doubled && !folder.is_empty() {
            "/"
        } else {
            ""
        };
        let items = names.into_iter().flat_map(|name| {
            let name = name.into();
            let item = |probe| Item {
                ask: Ask {
                    path: format!("{folder}{slash}{name}"),
                    probe,
                    options,
                },
                name: name.clone(),
            };
            match way {
                Way::Read => vec![item(false)],
                Way::Probe => vec![item(true)],
                Way::ProbeThenRead => vec![item(true), item(false)],
            }
        });
        let items: Vec<_> = items.collect();
        self.queue = items.into();
    }

    /// Takes what came of the last request.
    pub fn answer(&mut self, answer: Answer) {
        let (Some(item), Some((program, _, want))) = (self.queue.pop_front(), self.step) else {
            return;
        };
        let path = &item.ask.path;
        match answer {
            // One transfer that breaks ends the whole attempt.
            Answer::Failed(why) => self.give_up(format!("{path}: {why}")),
            Answer::NotFound => self.missing(&item, want),
            Answer::There => match want {
                Want::Folder(_) => self.queue.clear(),
                Want::PickKernel => {
                    self.queue.clear();
                    self.loaded.kernel.0.clone_from(&item.name);
                }
                _ => {}
            },
            Answer::File {
                bytes,
                acknowledged,
            } => self.take(&item, want, program, bytes, acknowledged),
        }
    }

    fn missing(&mut self, item: &Item, want: Want) {
        let name = &item.name;
        // The whole transfer that would have followed a probe.
        if item.ask.probe && self.queue.front().is_some_and(|next| next.name == *name) {
            self.queue.pop_front();
        }
        let model = self.board.model;
        match want {
            Want::Folder(_) if self.queue.is_empty() => self.folder.clear(),
            Want::Config { .. }
                if name == "config.txt" && matches!(model, Model::Pi5 | Model::Cm5) =>
            {
                self.give_up("the server has no config.txt".to_owned());
            }
            Want::Firmware(name) => self.give_up(format!("the server has no {name}")),
            Want::Ramdisk => self.give_up("the server has no boot.img".to_owned()),
            Want::OsCheck => self.give_up(format!(
                "without {name} the system does not claim to support this board"
            )),
            Want::PickKernel if self.queue.is_empty() => {
                self.give_up("the server has no kernel for this board".to_owned());
            }
            Want::DeviceTree | Want::Kernel => self.give_up(format!("the server has no {name}")),
            Want::D0Overlay => {
                let why = format!("without {name} the kernel dies on D0 silicon");
                self.ending = Some(Ending::Dead(why));
            }
            Want::SelfUpdate => self.offer = None,
            _ => {}
        }
    }

    fn take(
        &mut self,
        item: &Item,
        want: Want,
        program: Program,
        bytes: Bytes,
        acknowledged: bool,
    ) {
        let name = item.name.clone();
        match want {
            // Before the Pi 5, firmware reads a configuration only from a server that speaks
            // options.
            Want::Config { .. } if !acknowledged && program != Program::Eeprom => {
                self.config_text = Bytes::new();
                self.configure();
            }
            Want::Config { .. } if name == "config.txt" => {
                self.config_text = bytes;
                self.configure();
                let mut includes = self.loaded.config.includes.clone();
                includes.retain(|name| name != "config.txt");
                self.enqueue(includes, false);
            }
            Want::Config { .. } => {
                self.includes.insert(name, bytes.to_vec());
                self.configure();
            }
            Want::SelfUpdate if name == "pieeprom.sig" => self.consider(&bytes),
            Want::SelfUpdate => {
                if let Some(offer) = self.offer.take()
                    && offer.matches(&bytes, self.board.model)
                {
                    self.ending = Some(Ending::Update(Eeprom { updated: offer.at }));
                }
            }
            Want::Ramdisk => {
                self.ramdisk = Some(Ramdisk(bytes));
                // Inside the RAM disk there is no folder.
                self.folder.clear();
            }
            Want::Initramfs => self.loaded.initramfs.extend_from_slice(&bytes),
            Want::DeviceTree => self.loaded.device_tree = (name, bytes),
            Want::D0Overlay | Want::Overlays => self.loaded.overlays.push((name, bytes)),
            Want::Cmdline => self.loaded.cmdline = Some(bytes),
            Want::Kernel => self.loaded.kernel = (name, bytes),
            _ => {}
        }
    }

    fn configure(&mut self) {
        self.loaded.config = Config::parse(&self.config_text, &self.board, &self.includes);
    }

    fn consider(&mut self, sig: &[u8]) {
        let allowed = self.loaded.config.bootloader_update;
        self.offer = eeprom::Offer::parse(sig).filter(|o| allowed && o.at > self.eeprom.updated);
        if self.offer.is_some() {
            self.enqueue(["pieeprom.upd"], false);
        }
    }

    // The initramfs that goes with the kernel, for `auto_initramfs=1`: `kernel8.img` has
    // `initramfs8`. Older models want it before they have looked for a kernel.
    fn initramfs_of_kernel(&self) -> Option<String> {
        let config = &self.loaded.config;
        let first = self.board.model.kernels(config.arm_64bit)[0];
        let kernel = match (&self.loaded.kernel.0, &config.kernel) {
            (picked, _) if !picked.is_empty() => picked,
            (_, Some(named)) => &format!("{}{named}", config.os_prefix),
            _ => &format!("{}{first}", config.os_prefix),
        };
        let (folder, file) = kernel.rsplit_once('/').unwrap_or(("", kernel));
        let middle = file.strip_prefix("kernel")?.strip_suffix(".img")?;
        let slash = if folder.is_empty() { "" } else { "/" };
        Some(format!("{folder}{slash}initramfs{middle}"))
    }

    fn give_up(&mut self, why: String) {
        self.ending = Some(Ending::GiveUp(why));
    }
}
