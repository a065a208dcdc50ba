//! Where a line of an edited text stood before the edits.

/// The number of the line of `before` that line `number` of `after` is: of those that read the same, the nearest one; its
/// own number where there is none.
pub fn line_before(after: &[u8], number: u32, before: &[u8]) -> u32 {
    let at = (number as usize).saturating_sub(1);
    let Some(written) = after.split(|&byte| byte == b'\n').nth(at) else { return number };
    let same = (1..).zip(before.split(|&byte| byte == b'\n')).filter(|(_, line)| *line == written);
    same.map(|(known, _)| known).min_by_key(|known| number.abs_diff(*known)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_what_it_says() {
        let before = b"args:\n  - A\n  - B\n  - A\n";
        let after = b"args:\n  - B\n  - A\n  - C\n";
        assert_eq!([1, 2, 3, 4, 9].map(|line| line_before(after, line, before)), [1, 3, 2, 4, 9]);
    }
}
