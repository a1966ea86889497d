//! Sizes in words.

/// A size as people say it: the largest unit of which there is at least one, one decimal unless it
/// is even.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["TiB", "GiB", "MiB", "KiB", "bytes"];
    let unit = (0..4).find(|i| bytes >> (40 - 10 * i) > 0).unwrap_or(4);
    let one = 1_u64 << (40 - 10 * unit);
    let tenths = (u128::from(bytes) * 10 + u128::from(one) / 2) / u128::from(one);
    match tenths % 10 {
        0 => format!("{} {}", tenths / 10, UNITS[unit]),
        tenth => format!("{}.{tenth} {}", tenths / 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let rows = [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (512 << 20, "512 MiB"),
            (3 << 29, "1.5 GiB"),
            (27_917_287_424, "26 GiB"),
            (u64::MAX, "16777216 TiB"),
        ];
        for (bytes, words) in rows {
            assert_eq!(size(bytes), words);
        }
    }
}
