use super::encode::Encode;
use crate::protobuf::varint_len;

/// A number as a shortest varint: 1 to 10 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Varint(pub(crate) u64);

// SAFETY: stores 16 bytes, which is 10 and less than `SLACK`. The first `varint_len` bytes are the varint.
unsafe impl Encode for Varint {
    const MAX_LEN: Option<usize> = Some(10);

    #[inline(always)]
    fn max_len(&self) -> usize {
        10
    }

    #[inline(always)]
    unsafe fn encode(self, at: *mut u8) -> *mut u8 {
        if self.0 < 0x80 {
            // SAFETY: the caller allows 10 bytes.
            unsafe { at.write(self.0 as u8) };
            // SAFETY: as above.
            return unsafe { at.add(1) };
        }
        if self.0 < 0x4000 {
            let two = [self.0 as u8 | 0x80, (self.0 >> 7) as u8];
            // SAFETY: the caller allows 10 bytes.
            unsafe { at.cast::<[u8; 2]>().write(two) };
            // SAFETY: as above.
            return unsafe { at.add(2) };
        }
        let length = varint_len(self.0);
        // SAFETY: the caller allows 10 bytes and the slack.
        unsafe { at.cast::<[u8; 16]>().write(spread(self.0)) };
        // SAFETY: `length` is at most 10.
        unsafe { at.add(length) }
    }

    #[cfg(test)]
    fn encode_safe(self, out: &mut Vec<u8>) {
        crate::protobuf::write_varint(out, self.0);
    }
}

/// Returns the varint of `value` in the first `varint_len` bytes.
#[inline(always)]
fn spread(value: u64) -> [u8; 16] {
    let length = varint_len(value);
    // Seven bits into each byte of the low 56, by halves.
    let low = value & ((1 << 56) - 1);
    let low = (low & 0x0000_0000_0fff_ffff) | ((low & 0x00ff_ffff_f000_0000) << 4);
    let low = (low & 0x0000_3fff_0000_3fff) | ((low & 0x0fff_c000_0fff_c000) << 2);
    let low = (low & 0x007f_007f_007f_007f) | ((low & 0x3f80_3f80_3f80_3f80) << 1);
    let whole = u128::from(low)
        | (u128::from((value >> 56) & 0x7f) << 64)
        | (u128::from(value >> 63) << 72);
    // A continuation bit in every byte but the last.
    let more = 0x80_8080_8080_8080_8080_u128 & ((1 << (8 * (length - 1))) - 1);
    (whole | more).to_le_bytes()
}
