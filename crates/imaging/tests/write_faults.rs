//! The writer on disks that fail, lie, corrupt, shrink, write short and lose power.
//!
//! One rule is held against all of them: a disk that has a partition table of the image holds the
//! whole image, and whoever got a `Sealed` has such a disk.

use imaging::partitions::Table;
use imaging::target::{Fault, FaultyTarget, MemoryTarget, Target, inspect};
use imaging::write::{Chunks, Opened, Sealed, WriteError};
use proptest::prelude::*;
use wire::disk::DiskContent;
use wire::image::Grow;
use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};

const CHUNK: usize = 8192;
/// The root partition begins here, after one of 64 KiB.
const ROOT_AT: usize = 72 * 1024;
/// Where the tests' "personalised file" lies.
const FILE_AT: usize = ROOT_AT + 4096;
const FILE: &[u8; 512] = &[0x4e; 512];

struct Image {
    bytes: Vec<u8>,
    manifest: Manifest,
}

/// An image with an MBR and two partitions; `classes` gives the chunks from the third on.
fn image(classes: &[ChunkClass]) -> Image {
    let count = classes.len();
    let mut bytes = vec![0; count * CHUNK];
    for (i, class) in classes.iter().enumerate() {
        if *class == ChunkClass::Data {
            for (j, byte) in bytes[i * CHUNK..(i + 1) * CHUNK].iter_mut().enumerate() {
                *byte = (i * 31 + j * 7 + j / 256) as u8 | 1;
            }
        }
    }
    bytes[..4096].fill(0);
    let root_sectors = ((bytes.len() - ROOT_AT) / 512) as u32;
    let entries = [
        (0x0c_u8, 8_u32, 128),
        (0x83, (ROOT_AT / 512) as u32, root_sectors),
    ];
    for (i, (kind, start, sectors)) in entries.into_iter().enumerate() {
        let at = 446 + 16 * i;
        bytes[at + 4] = kind;
        bytes[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        bytes[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    }
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    let chunks = classes
        .iter()
        .zip(bytes.chunks(CHUNK))
        .map(|(class, raw)| {
            let data = *class == ChunkClass::Data;
            Chunk {
                class: *class,
                hash: data.then(|| Hash32(*blake3::hash(raw).as_bytes())),
                offset: 0,
                packed: u64::from(data),
            }
        })
        .collect();
    let manifest = Manifest {
        format: 1,
        raw_bytes: bytes.len() as u64,
        chunk_bytes: CHUNK as u32,
        head_bytes: 4096,
        chunks,
    };
    Image { bytes, manifest }
}

/// Gives the data chunks in a chosen order.
struct Source<'a> {
    image: &'a Image,
    order: Vec<usize>,
}

impl Chunks for Source<'_> {
    fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, WriteError> {
        let Some(index) = self.order.pop() else {
            return Ok(None);
        };
        Ok(Some((index, self.again(index)?)))
    }

    fn again(&mut self, index: usize) -> Result<Vec<u8>, WriteError> {
        Ok(self.image.bytes[index * CHUNK..(index + 1) * CHUNK].to_vec())
    }
}

fn data_chunks(image: &Image) -> Vec<usize> {
    let data = |i: &usize| image.manifest.chunks[*i].class == ChunkClass::Data;
    (0..image.manifest.chunks.len()).filter(data).collect()
}

fn deploy<T: Target>(
    disk: T,
    image: &Image,
    order: Vec<usize>,
    grow: Grow,
) -> Result<Sealed<T>, WriteError> {
    let mut source = Source { image, order };
    let first = image.bytes[..CHUNK].to_vec();
    let watch = &mut |_, _| Ok(());
    Opened::open(disk, image.manifest.clone(), "D1", first, grow)?
        .clear()?
        .write(&mut source, watch)?
        .read_back(&mut source, watch)?
        .personalise(|disk, layout| {
            assert_eq!(layout.table.partitions[1].start, ROOT_AT as u64);
            let odd = |e| imaging::personalise::PersonaliseError::Edit(e);
            disk.write_at(FILE_AT as u64, FILE).map_err(odd)?;
            disk.flush().map_err(odd)?;
            let mut back = [0; FILE.len()];
            disk.read_back(FILE_AT as u64, &mut back).map_err(odd)?;
            if back != *FILE {
                return Err(odd(std::io::Error::other("the file is wrong")));
            }
            Ok(FILE.len() as u64)
        })?
        .seal()
}

/// Does the disk hold the image, the personalised file in it, and a table?
fn is_whole(medium: &[u8], image: &Image) -> bool {
    let Ok(table) = Table::parse(medium) else {
        return false;
    };
    let mut wanted = image.bytes.clone();
    wanted[FILE_AT..FILE_AT + FILE.len()].copy_from_slice(FILE);
    // The head differs by the grown entry, which the table check covers.
    let chunks = image.manifest.chunks.iter().enumerate();
    let sound = chunks
        .filter(|(_, c)| c.class != ChunkClass::Hole)
        .all(|(i, _)| {
            let range = if i == 0 {
                4096..CHUNK
            } else {
                i * CHUNK..(i + 1) * CHUNK
            };
            medium[range.clone()] == wanted[range]
        });
    sound && table.partitions.len() == 2 && table.end() <= medium.len() as u64
}

fn medium(disk: &MemoryTarget) -> Vec<u8> {
    disk.after_power_cut(|| true)
}

/// A disk with somebody's old system on it.
fn used_disk(bytes: usize) -> MemoryTarget {
    let disk = MemoryTarget::new(bytes, 512, 0xee);
    let mut sector = [0; 512];
    sector[450] = 0x83;
    sector[454..462].copy_from_slice(&[0, 8, 0, 0, 0, 8, 0, 0]);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    disk.tamper(0, &sector);
    disk.tamper(512, b"EFI PART");
    disk.tamper(bytes - 512, b"EFI PART");
    disk
}

/// Chunk 0 to 9 cover the head, the first partition and the file; they hold data.
fn classes() -> impl Strategy<Value = Vec<ChunkClass>> {
    let class = prop_oneof![
        3 => Just(ChunkClass::Data),
        1 => Just(ChunkClass::Zero),
        1 => Just(ChunkClass::Hole),
    ];
    prop::collection::vec(class, 10..50).prop_map(|rest| {
        let mut all = vec![ChunkClass::Data; 10];
        all.extend(rest);
        all
    })
}

fn faults(image_bytes: u64) -> impl Strategy<Value = Vec<Fault>> {
    let place = (0..image_bytes, 1..40_000_u64).prop_map(|(at, len)| at..at + len);
    let times = prop_oneof![3 => 1..4_u32, 1 => Just(u32::MAX)];
    let fault =
        (0..7, place, times, 0..120_u64).prop_map(|(kind, range, times, write)| match kind {
            0 => Fault::WriteError { range, times },
            1 => Fault::ReadError { range, times },
            2 => Fault::Lie { range, times },
            3 => Fault::Corrupt { range, times },
            4 => Fault::Shrink { bytes: range.end },
            5 => Fault::Short { write },
            _ => Fault::PowerCut { write },
        });
    prop::collection::vec(fault, 0..4)
}

fn scenario() -> impl Strategy<Value = (Vec<ChunkClass>, Vec<Fault>, usize)> {
    (classes(), 0..3_usize << 20).prop_flat_map(|(classes, extra)| {
        let bytes = (classes.len() * CHUNK) as u64;
        let extra = extra / 512 * 512;
        (Just(classes), faults(bytes), Just(extra))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_sealed_disk_is_right_and_any_other_has_no_table((classes, faults, extra) in scenario()) {
        let image = image(&classes);
        let disk = used_disk(image.bytes.len() + extra);
        let old = medium(&disk);
        let faulty = FaultyTarget::new(disk.clone(), faults);
        let mut order = data_chunks(&image);
        let middle = order.len() / 2;
        order.rotate_left(middle);
        let result = deploy(faulty, &image, order, Grow::Agent);
        let now = medium(&disk);
        match result {
            Ok(sealed) => {
                prop_assert!(is_whole(&now, &image));
                // A station takes a board for done only when it has read back this much.
                let read_back = sealed.figures().bytes_read_back;
                prop_assert!(read_back >= image.manifest.written_bytes(), "{read_back}");
            }
            Err(e) => prop_assert!(
                Table::parse(&now).is_err() || now == old || is_whole(&now, &image),
                "after {e}"
            ),
        }
    }

    #[test]
    fn a_power_cut_leaves_the_old_system_or_nothing_that_boots(
        classes in classes(),
        cut in 0..400_u64,
        luck in any::<u64>(),
    ) {
        let image = image(&classes);
        let disk = used_disk(image.bytes.len() + (1 << 20));
        let old = medium(&disk);
        let faulty = FaultyTarget::new(disk.clone(), vec![Fault::PowerCut { write: cut }]);
        let result = deploy(faulty, &image, data_chunks(&image), Grow::Agent);
        // Of what was not flushed, some sectors survive and some do not.
        let mut luck = luck | 1;
        let now = disk.after_power_cut(|| {
            luck ^= luck << 13;
            luck ^= luck >> 7;
            luck ^= luck << 17;
            luck & 1 == 0
        });
        if Table::parse(&now).is_ok() {
            prop_assert!(now == old || is_whole(&now, &image), "cut at write {cut}");
        } else {
            let mut found = MemoryTarget::new(now.len(), 512, 0);
            found.tamper(0, &now);
            let deployment = "D1".to_owned();
            prop_assert_eq!(inspect(&mut found), DiskContent::Unfinished { deployment });
        }
        if result.is_ok() {
            prop_assert!(is_whole(&now, &image));
        }
    }
}

fn plain() -> Image {
    use ChunkClass::{Data, Hole, Zero};
    let mut classes = vec![Data; 12];
    classes.extend([Zero, Zero, Hole, Data, Hole, Hole, Data, Zero]);
    image(&classes)
}

/// Reaches past the first mebibyte, which is cleared before it is written.
fn long() -> Image {
    image(&[ChunkClass::Data; 150])
}

#[test]
fn a_sound_disk_holds_the_image_and_fills_the_disk() {
    let image = plain();
    let disk = used_disk(4 << 20);
    let sealed = deploy(disk.clone(), &image, data_chunks(&image), Grow::Agent).unwrap();
    let figures = sealed.figures();
    assert_eq!(figures.rewritten_chunks, 0);
    // All but the head once, the head once, the file once.
    let written = image.manifest.written_bytes() + FILE.len() as u64;
    assert_eq!(figures.bytes_written, written);
    assert_eq!(figures.bytes_read_back, written);
    let now = medium(&disk);
    assert!(is_whole(&now, &image));
    assert_eq!(Table::parse(&now).unwrap().end(), 4 << 20);
    assert_eq!(
        now[(4 << 20) - 512..],
        [0; 512],
        "the old backup table is gone"
    );
}

#[test]
fn an_image_that_grows_by_itself_keeps_its_table() {
    let image = plain();
    let disk = used_disk(4 << 20);
    deploy(disk.clone(), &image, data_chunks(&image), Grow::Image).unwrap();
    assert_eq!(medium(&disk)[..4096], image.bytes[..4096]);
}

#[test]
fn nothing_is_lost_on_a_disk_that_cannot_take_the_image() {
    let image = plain();
    let small = used_disk(image.bytes.len() - 512);
    let old = medium(&small);
    let error = deploy(small.clone(), &image, data_chunks(&image), Grow::Agent).unwrap_err();
    assert!(matches!(error, WriteError::TooSmall { .. }), "{error}");
    assert!(medium(&small) == old);

    let big_sectors = MemoryTarget::new(4 << 20, 4096, 0xee);
    let error = deploy(
        big_sectors.clone(),
        &image,
        data_chunks(&image),
        Grow::Agent,
    )
    .unwrap_err();
    assert!(error.to_string().contains("sectors of 4096"), "{error}");
    assert!(medium(&big_sectors) == vec![0xee; 4 << 20]);
}

#[test]
fn a_bad_range_is_written_once_more_and_then_named() {
    let image = long();
    let bad = 140 * CHUNK as u64 + 1024;
    let once = |times| Fault::Corrupt {
        range: bad..bad + 1,
        times,
    };
    let disk = FaultyTarget::new(used_disk(4 << 20), vec![once(1)]);
    let sealed = deploy(disk, &image, data_chunks(&image), Grow::Agent).unwrap();
    assert_eq!(sealed.figures().rewritten_chunks, 1);

    let disk = FaultyTarget::new(used_disk(4 << 20), vec![once(u32::MAX)]);
    let error = deploy(disk, &image, data_chunks(&image), Grow::Agent).unwrap_err();
    let sector = bad / 512;
    assert_eq!(
        error.to_string(),
        format!("sectors {sector} to {sector} did not read back as written, twice: 1 bytes differ")
    );
}

#[test]
fn a_write_error_names_its_sectors() {
    let image = long();
    let bad = 140 * CHUNK as u64;
    let fault = Fault::WriteError {
        range: bad..bad + 512,
        times: u32::MAX,
    };
    let disk = FaultyTarget::new(used_disk(4 << 20), vec![fault]);
    let error = deploy(disk, &image, data_chunks(&image), Grow::Agent).unwrap_err();
    let sector = bad / 512;
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("writing sectors {sector} to ")),
        "{text}"
    );
}

#[test]
fn a_sealed_disk_can_be_called_back() {
    let image = plain();
    let disk = used_disk(4 << 20);
    let sealed = deploy(disk.clone(), &image, data_chunks(&image), Grow::Agent).unwrap();
    sealed.undo().unwrap();
    let deployment = "D1".to_owned();
    assert_eq!(
        inspect(&mut disk.clone()),
        DiskContent::Unfinished { deployment }
    );
}

#[test]
fn chunks_that_do_not_belong_are_refused() {
    struct Wrong(Vec<(usize, Vec<u8>)>);
    impl Chunks for Wrong {
        fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, WriteError> {
            Ok(self.0.pop())
        }
        fn again(&mut self, _: usize) -> Result<Vec<u8>, WriteError> {
            Err(WriteError::Chunks("no".to_owned()))
        }
    }
    let image = plain();
    let hole = 14;
    for (index, len) in [(1, CHUNK - 1), (hole, CHUNK), (999, CHUNK)] {
        let first = image.bytes[..CHUNK].to_vec();
        let opened = Opened::open(
            used_disk(4 << 20),
            image.manifest.clone(),
            "D1",
            first,
            Grow::Never,
        )
        .unwrap();
        let mut wrong = Wrong(vec![(index, vec![0; len])]);
        assert!(
            opened
                .clear()
                .unwrap()
                .write(&mut wrong, &mut |_, _| Ok(()))
                .is_err(),
            "{index}"
        );
    }
    let first = vec![7; CHUNK];
    let error = Opened::open(used_disk(4 << 20), image.manifest, "D1", first, Grow::Never);
    assert!(matches!(error, Err(WriteError::FirstChunk)));
}

/// Chunks of 64 KiB, one after the other.
struct Big<'a>(&'a [u8], usize);
impl Chunks for Big<'_> {
    fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, WriteError> {
        self.1 += 1;
        (self.1 < self.0.len() / 65_536)
            .then(|| self.again(self.1).map(|c| (self.1, c)))
            .transpose()
    }
    fn again(&mut self, index: usize) -> Result<Vec<u8>, WriteError> {
        Ok(self.0[index * 65_536..(index + 1) * 65_536].to_vec())
    }
}

/// An image with a GPT, made by a program that is not ours.
#[test]
fn a_gpt_gets_its_backup_at_the_end_of_the_disk() {
    use imaging::target::FileTarget;
    use std::io::Write;
    use std::process::{Command, Stdio};
    let dir = tempfile::tempdir().unwrap();
    let template = dir.path().join("image");
    let bytes = 256 * CHUNK;
    std::fs::File::create(&template)
        .unwrap()
        .set_len(bytes as u64)
        .unwrap();
    let sfdisk = |args: &[&str], input: &str| {
        let mut child = Command::new("/sbin/sfdisk")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        said
    };
    let layout = "label: gpt\nstart=40, size=104, type=uefi\nstart=144, size=3800\n";
    sfdisk(&["-q", template.to_str().unwrap()], layout);
    let raw = std::fs::read(&template).unwrap();
    let mut image = image(&[ChunkClass::Data; 256]);
    image.bytes = raw;
    // 40 sectors of head do not fit into one small chunk.
    image.manifest.chunk_bytes = 65_536;
    image.manifest.head_bytes = Table::parse(&image.bytes).unwrap().head_bytes();
    let chunk = |raw: &[u8]| Chunk {
        class: ChunkClass::Data,
        hash: Some(Hash32(*blake3::hash(raw).as_bytes())),
        offset: 0,
        packed: 1,
    };
    image.manifest.chunks = image.bytes.chunks(65_536).map(chunk).collect();

    let place = dir.path().join("disk");
    let disk = FileTarget::create(&place, 8 << 20).unwrap();
    let first = image.bytes[..65_536].to_vec();
    let mut source = Big(&image.bytes, 0);
    let watch = &mut |_, _| Ok(());
    Opened::open(disk, image.manifest.clone(), "D1", first, Grow::Agent)
        .unwrap()
        .clear()
        .unwrap()
        .write(&mut source, watch)
        .unwrap()
        .read_back(&mut source, watch)
        .unwrap()
        .personalise(|_, layout| {
            assert_eq!(layout.grown.as_ref().unwrap().number, 2);
            Ok(0)
        })
        .unwrap()
        .seal()
        .unwrap();
    let said = sfdisk(&["--verify", place.to_str().unwrap()], "");
    assert!(said.contains("No errors detected"), "{said}");
    let table = Table::parse(&std::fs::read(&place).unwrap()).unwrap();
    assert!(table.end() > (8 << 20) - 64 * 1024, "{table:?}");
}
