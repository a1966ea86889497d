//! A board on a file.

use super::image::Golden;
use super::station::FakeStation;
use agent::{Ending, Link, Platform, Screen, Settings, run};
use imaging::pack::Pack;
use imaging::partitions::{Partition, Table};
use imaging::personalise::{Debugfs, RootFs};
use imaging::target::{Fault, FaultyTarget, FileTarget, Switch, Target, inspect};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use wire::agent::Inventory;
use wire::disk::{Disk, DiskContent, DiskKind};
use wire::manifest::ChunkClass;
use wire::{BoardId, Mac};

pub(crate) struct Board {
    _dir: tempfile::TempDir,
    file: PathBuf,
    switch: Switch,
    blinked: AtomicU32,
    shown: Mutex<Vec<String>>,
    pub(crate) plug: Arc<AtomicBool>,
    pub(crate) link_key: Option<[u8; 32]>,
}

pub(crate) const SETTINGS: Settings = Settings {
    report_every: Duration::from_millis(20),
    pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(100),
    after_failure: Duration::from_millis(10),
    doubted: Duration::from_millis(50),
};

impl Board {
    pub(crate) fn new(disk_bytes: u64) -> Self {
        Self::with_faults(disk_bytes, Vec::new())
    }

    pub(crate) fn with_faults(disk_bytes: u64, faults: Vec<Fault>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("disk");
        FileTarget::create(&file, disk_bytes).unwrap();
        let switch = Switch::default();
        for fault in faults {
            switch.add(fault);
        }
        Self {
            _dir: dir,
            file,
            switch,
            blinked: AtomicU32::new(0),
            shown: Mutex::default(),
            plug: Arc::default(),
            link_key: None,
        }
    }

    fn link(&self, station: &FakeStation) -> Link {
        Link {
            station: station.base(),
            token: Some("token".to_owned()),
            mac: Mac([2, 0, 0, 0, 0, 1]),
            local: None,
            station_key: self.link_key.or(Some(station.key())),
        }
    }

    pub(crate) fn run(&self, station: &FakeStation) -> Ending {
        station.wire_plug(self);
        run(self, &self.link(station), &SETTINGS)
    }

    /// A station has one order to give; whoever checks in again finds its plug pulled.
    pub(crate) fn run_until_ordered_off(&self, station: &FakeStation) {
        assert_eq!(self.run(station), Ending::PowerLost);
    }

    pub(crate) fn disk_path(&self) -> &Path {
        &self.file
    }

    pub(crate) fn blinked(&self) -> u32 {
        self.blinked.load(Ordering::Relaxed)
    }

    pub(crate) fn shown(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }

    pub(crate) fn content(&self) -> DiskContent {
        inspect(&mut FileTarget::open(&self.file).unwrap())
    }

    pub(crate) fn assert_unfinished(&self) {
        let deployment = "D-1".to_owned();
        assert_eq!(self.content(), DiskContent::Unfinished { deployment });
    }

    /// The disk holds the image, its table fills the disk, the system has its name.
    pub(crate) fn assert_holds(&self, golden: &Golden, hostname: &str) {
        let mut disk = FileTarget::open(&self.file).unwrap();
        let mut head = vec![0; 1 << 20];
        disk.read_back(0, &mut head).unwrap();
        let table = Table::parse(&head).unwrap();
        assert_eq!(table.end(), disk.bytes());
        // Outside of the root file system, which was grown and edited, every chunk is the image's.
        let pack = Pack::open(&golden.pack).unwrap();
        let m = &golden.manifest;
        for (i, chunk) in m.chunks.iter().enumerate().skip(1) {
            if chunk.class == ChunkClass::Hole
                || m.start(i) + m.len_of(i) as u64 > golden.root_start
            {
                continue;
            }
            let wanted = match chunk.class {
                ChunkClass::Data => pack.read_chunk(i).unwrap(),
                _ => vec![0; m.len_of(i)],
            };
            let mut found = vec![1; m.len_of(i)];
            disk.read_back(m.start(i), &mut found).unwrap();
            assert!(found == wanted, "chunk {i} differs");
        }
        let mut system = Debugfs::open(&self.file, golden.root_start).unwrap();
        let name = format!("{hostname}\n");
        assert_eq!(system.read("/etc/hostname").unwrap(), name.as_bytes());
        assert_eq!(system.read("/etc/machine-id").unwrap(), b"");
        assert_eq!(system.entry("/etc/ssh/ssh_host_rsa_key").unwrap(), None);
        let device = format!("{}?offset={}", self.file.display(), golden.root_start);
        let check = std::process::Command::new("/sbin/e2fsck")
            .args(["-fn", &device])
            .output()
            .unwrap();
        assert!(
            check.status.success(),
            "{}",
            String::from_utf8_lossy(&check.stdout)
        );
    }
}

impl Platform for Board {
    fn inventory(&self, mac: Mac) -> Inventory {
        let mut file = FileTarget::open(&self.file).unwrap();
        Inventory {
            board: BoardId::Pi(0x1234_5678),
            serial: None,
            revision: None,
            model: "Test board".to_owned(),
            arch: "aarch64".to_owned(),
            ram_mib: 1024,
            mac,
            macs: vec![mac],
            link_mbit: None,
            disks: vec![Disk {
                path: "/dev/mmcblk0".to_owned(),
                kind: DiskKind::Sd,
                bytes: file.bytes(),
                sector: 512,
                model: "file".to_owned(),
                serial: String::new(),
                removable: false,
                read_only: false,
                content: inspect(&mut file),
            }],
            eeprom_version: None,
            boot_order: None,
            temperature_millicelsius: None,
            throttled: None,
        }
    }

    fn open_disk(&self, _: &Disk) -> io::Result<Box<dyn Target>> {
        let file = FileTarget::open(&self.file)?;
        Ok(Box::new(FaultyTarget::with_switch(
            file,
            self.switch.clone(),
        )))
    }

    fn file_system(&self, _: &Disk, partition: &Partition) -> io::Result<Box<dyn RootFs>> {
        Ok(Box::new(Debugfs::open(&self.file, partition.start)?))
    }

    fn show(&self, screen: &Screen) {
        let line = screen.one_line();
        println!("{line}");
        self.shown.lock().unwrap().push(line);
    }

    fn blink(&self, seconds: u32) {
        self.blinked.fetch_add(seconds, Ordering::Relaxed);
    }

    fn power_lost(&self) -> bool {
        let lost = self.plug.load(Ordering::Relaxed);
        if lost {
            self.switch.cut_power();
        }
        lost
    }
}
