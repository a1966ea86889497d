//! Under which file name installers find an image: the name it was imported from, as `.img`. Where
//! two images would share that name, each is found by its id alone.

use wire::Refusal;
use wire::image::Image;

/// The name of `image` among `all`.
pub fn file_name(image: &Image, all: &[Image]) -> String {
    let name = stem(&image.file_name);
    let shared = all
        .iter()
        .any(|other| other.id != image.id && stem(&other.file_name) == name);
    if shared || name.is_empty() {
        format!("{}.img", image.id)
    } else {
        format!("{name}.img")
    }
}

/// The image that `file` names.
pub fn find<'i>(all: &'i [Image], file: &str) -> Result<&'i Image, Refusal> {
    if let Some(image) = all.iter().find(|i| format!("{}.img", i.id) == file) {
        return Ok(image);
    }
    let mut named = all
        .iter()
        .filter(|i| format!("{}.img", stem(&i.file_name)) == file);
    match (named.next(), named.next()) {
        (Some(image), None) => Ok(image),
        (None, _) => Err(Refusal::not_found("Image not found.")),
        (Some(_), Some(_)) => Err(
            Refusal::conflict(format!("Several images are called {file}."))
                .next("Ask for the one you mean by its id."),
        ),
    }
}

/// The imported file's name without its endings, with what an URL might trip over replaced.
fn stem(file_name: &str) -> String {
    let mut name = file_name;
    for ending in [".xz", ".gz", ".bz2", ".zst", ".zip"] {
        if let Some(shorter) = without(name, ending) {
            name = shorter;
            break;
        }
    }
    let name = without(name, ".img").unwrap_or(name);
    name.chars()
        .map(|c| match c {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' => c,
            _ => '_',
        })
        .collect()
}

fn without<'n>(name: &'n str, ending: &str) -> Option<&'n str> {
    let at = name.len().checked_sub(ending.len())?;
    let (stem, end) = name.split_at_checked(at)?;
    end.eq_ignore_ascii_case(ending).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::image::ImageContents;
    use wire::{ImageId, Millis};

    fn image(id: u8, file_name: &str) -> Image {
        Image {
            id: ImageId([id; 32]),
            product: "KXP2".parse().unwrap(),
            file_name: file_name.to_owned(),
            version: String::new(),
            description: String::new(),
            raw_bytes: 1,
            data_bytes: 1,
            pack_bytes: 1,
            sha256: String::new(),
            contents: ImageContents::default(),
            pack_fault: None,
            active: false,
            imported: Millis(0),
        }
    }

    #[test]
    fn an_image_keeps_its_name_without_the_compression() {
        for (imported, served) in [
            ("kart.img.xz", "kart.img"),
            ("kart.IMG", "kart.img"),
            ("kart v2 (gold).zip", "kart_v2__gold_.img"),
            ("ä.img", "_.img"),
            (".xz", &format!("{}.img", "01".repeat(32))),
        ] {
            let one = image(1, imported);
            assert_eq!(file_name(&one, &[]), served, "{imported}");
        }
    }

    #[test]
    fn two_images_of_one_name_are_told_apart_by_their_ids() {
        let all = [
            image(1, "kart.img.xz"),
            image(2, "kart.img"),
            image(3, "x.img"),
        ];
        for one in &all {
            assert_eq!(find(&all, &file_name(one, &all)).unwrap().id, one.id);
        }
        assert!(find(&all, "kart.img").is_err());
        assert!(find(&all, "none.img").is_err());
        assert!(find(&all, "../punnet.db").is_err());
    }
}
