/// The number of bytes of a collector's message that are kept for a log.
const MAX_MESSAGE_BYTES: usize = 1 << 10;

/// Makes a collector's text fit for a log: short, and on one line.
pub(crate) fn one_line(text: &[u8]) -> String {
    let text = &text[..text.len().min(MAX_MESSAGE_BYTES)];
    String::from_utf8_lossy(text)
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
