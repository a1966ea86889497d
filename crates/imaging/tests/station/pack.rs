//! Packs hold what was put in, and a file that is no whole pack is never taken for one.

use crate::fixture::{Dice, temp};
use imaging::pack::{ChunkError, Pack, PackError, Writer, clean, decode_chunk};
use proptest::prelude::*;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};

const CHUNK: usize = 64 << 10;

/// A pack of six chunks (the last one short, one zero, one hole), and the image it stands for.
fn small_pack(into: &Path) -> (PathBuf, Vec<u8>) {
    let mut image = Dice::new(1).bytes(5 * CHUNK as u64 + 1000);
    let classes = [
        ChunkClass::Data,
        ChunkClass::Hole,
        ChunkClass::Data,
        ChunkClass::Zero,
        ChunkClass::Data,
        ChunkClass::Data,
    ];
    let mut writer = Writer::create(into).unwrap();
    let mut chunks = Vec::new();
    for (raw, class) in image.chunks_mut(CHUNK).zip(classes) {
        let mut chunk = Chunk {
            class,
            hash: None,
            offset: 0,
            packed: 0,
        };
        if class == ChunkClass::Data {
            let frame = zstd::bulk::compress(raw, 3).unwrap();
            chunk.hash = Some(Hash32(*blake3::hash(raw).as_bytes()));
            chunk.offset = writer.append(&frame).unwrap();
            chunk.packed = frame.len() as u64;
        } else {
            raw.fill(0);
        }
        chunks.push(chunk);
    }
    let manifest = Manifest {
        format: 1,
        raw_bytes: image.len() as u64,
        chunk_bytes: CHUNK as u32,
        head_bytes: 512,
        chunks,
    };
    let (path, _) = writer.seal(&manifest, None).unwrap().keep().unwrap();
    (path, image)
}

#[test]
fn a_pack_gives_back_what_was_put_in() {
    let dir = temp();
    let (path, image) = small_pack(dir.path());
    let pack = Pack::open(&path).unwrap();
    assert_eq!(
        path.file_stem().unwrap().to_str().unwrap(),
        pack.id().to_string()
    );
    assert_eq!(blake3::hash(&pack.signed().bytes), pack.id().0);
    pack.verify().unwrap();
    for (i, wanted) in image.chunks(CHUNK).enumerate() {
        assert!(pack.read_chunk(i).unwrap() == wanted, "chunk {i}");
    }
    assert!(pack.read_chunk(6).is_err());
    let length = pack.length();
    assert_eq!(pack.read_packed(0..8).unwrap(), b"PUNNETPK");
    assert_eq!(pack.read_packed(length - 8..length).unwrap(), b"PUNNETND");
    assert!(matches!(
        pack.read_packed(1..length + 1),
        Err(PackError::OutOfRange { .. })
    ));

    let mut whole = Vec::new();
    pack.image().read_to_end(&mut whole).unwrap();
    assert!(whole == image);
}

#[test]
fn a_chunk_that_travelled_is_checked() {
    let dir = temp();
    let pack = Pack::open(&small_pack(dir.path()).0).unwrap();
    let manifest = pack.manifest();
    let frame_of = |i: usize| {
        let c = manifest.chunks[i];
        pack.read_packed(c.offset..c.offset + c.packed).unwrap()
    };
    decode_chunk(manifest, 0, &frame_of(0)).unwrap();
    let mut flipped = frame_of(0);
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert!(decode_chunk(manifest, 0, &flipped).is_err());
    assert_eq!(
        decode_chunk(manifest, 0, &frame_of(2)[..9]).unwrap_err(),
        ChunkError::Length {
            index: 0,
            got: 9,
            wanted: manifest.chunks[0].packed,
        }
    );
    assert_eq!(
        decode_chunk(manifest, 1, &[]).unwrap_err(),
        ChunkError::NotData(1)
    );

    // The frame of another chunk, declared to be this one: right length, wrong bytes.
    let mut swapped = manifest.clone();
    swapped.chunks[0].packed = manifest.chunks[2].packed;
    assert_eq!(
        decode_chunk(&swapped, 0, &frame_of(2)).unwrap_err(),
        ChunkError::Hash(0)
    );

    // A frame that unpacks to far more than a chunk is stopped at the chunk's length.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
    let mut hostile = manifest.clone();
    hostile.chunks[0].packed = bomb.len() as u64;
    let e = decode_chunk(&hostile, 0, &bomb).unwrap_err();
    assert!(matches!(e, ChunkError::Frame { index: 0, .. }), "{e}");
}

#[test]
fn a_file_that_is_not_a_whole_pack_is_refused() {
    let dir = temp();
    let (path, _) = small_pack(dir.path());
    let whole = fs::read(&path).unwrap();
    let bad = dir.path().join("bad");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&bad, bytes).unwrap();
        let e = Pack::open(&bad).map(drop).unwrap_err();
        assert!(matches!(e, PackError::NotAPack { .. }), "{what}: {e}");
    };
    for left in [0, 1, 15, 16, 100, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..left], "cut");
    }
    refused(&[&whole[..], b"x"].concat(), "longer");
    refused(&[&whole[1..], b"x"].concat(), "shifted");
    for at in whole.len() - 56..whole.len() {
        let mut spoilt = whole.clone();
        spoilt[at] ^= 0x80;
        refused(&spoilt, "footer");
    }
    let manifest_at = whole.len() - 56 - 64 - 10;
    let mut spoilt = whole.clone();
    spoilt[manifest_at] ^= 1;
    refused(&spoilt, "manifest");
}

#[test]
fn frames_outside_of_the_file_are_refused() {
    let dir = temp();
    let hash = Some(Hash32([0; 32]));
    for (offset, packed) in [(0, 10), (16, 1000), (1 << 60, 10), (u64::MAX - 5, 4)] {
        let mut writer = Writer::create(dir.path()).unwrap();
        writer.append(&[0; 100]).unwrap();
        let manifest = Manifest {
            format: 1,
            raw_bytes: 4096,
            chunk_bytes: 4096,
            head_bytes: 512,
            chunks: vec![Chunk {
                class: ChunkClass::Data,
                hash,
                offset,
                packed,
            }],
        };
        let sealed = writer.seal(&manifest, None).unwrap();
        assert!(sealed.open().is_err(), "{offset}+{packed}");
    }
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn damage_inside_is_found_by_verify_and_by_reading() {
    let dir = temp();
    let (path, _) = small_pack(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[CHUNK] ^= 1;
    fs::write(&path, bytes).unwrap();
    let pack = Pack::open(&path).unwrap();
    let words = pack.verify().unwrap_err().to_string();
    assert!(words.contains("import the image again"), "{words}");
    let mut sink = Vec::new();
    assert!(pack.image().read_to_end(&mut sink).is_err());
}

#[test]
fn leftovers_of_a_killed_import_are_removed_and_packs_stay() {
    let dir = temp();
    let (path, _) = small_pack(dir.path());
    fs::write(dir.path().join("import-abc.partial"), "half").unwrap();
    fs::write(dir.path().join("notes.txt"), "kept").unwrap();
    assert_eq!(clean(dir.path()).unwrap(), 1);
    assert!(path.exists() && dir.path().join("notes.txt").exists());
    assert_eq!(clean(dir.path()).unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_image_reads_the_same_anywhere(
        reads in prop::collection::vec((0_u64..350_000, 0_usize..200_000), 1..20),
    ) {
        let dir = temp();
        let (path, image) = small_pack(dir.path());
        let mut file = Pack::open(&path).unwrap().image();
        prop_assert_eq!(file.seek(SeekFrom::End(0)).unwrap(), image.len() as u64);
        for (at, len) in reads {
            let mut got = Vec::new();
            file.seek(SeekFrom::Start(at)).unwrap();
            (&mut file).take(len as u64).read_to_end(&mut got).unwrap();
            let from = (at as usize).min(image.len());
            let to = (from + len).min(image.len());
            prop_assert!(got == image[from..to]);
        }
    }

    #[test]
    fn hostile_packs_never_panic(
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        reseal in any::<bool>(),
    ) {
        let dir = temp();
        let (path, _) = small_pack(dir.path());
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        let footer = end - 56;
        let begins = u64::from_le_bytes(bytes[footer..footer + 8].try_into().unwrap()) as usize;
        for (at, byte) in spoils {
            let at = begins + at.index(end - begins);
            bytes[at] = byte;
        }
        if reseal {
            let id = *blake3::hash(&bytes[begins..footer - 64]).as_bytes();
            bytes[footer + 16..footer + 48].copy_from_slice(&id);
        }
        fs::write(&path, bytes).unwrap();
        if let Ok(pack) = Pack::open(&path) {
            let _ = pack.verify();
            let _ = pack.image().read(&mut [0; 100]);
        }
    }
}
