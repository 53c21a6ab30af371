//! quickXorHash, Microsoft's digest of OneDrive contents: no security, only a check against accidents.

const CELLS: usize = 20;
const BITS: usize = CELLS * 8;

/// 160 bits: byte `i` is mixed in, shifted round by `11 * i` bits; at last the length, as 64 bits with the smallest byte first, into the
/// upper end. Microsoft documents it as code (OneDrive API, "`QuickXorHash` algorithm").
pub(super) fn digest(bytes: &[u8]) -> [u8; CELLS] {
    // The shifts repeat after 160 bytes, so bytes of the same remainder are mixed first and shifted once.
    let mut columns = [0_u8; BITS];
    for row in bytes.chunks(BITS) {
        for (column, byte) in columns.iter_mut().zip(row) {
            *column ^= byte;
        }
    }
    let mut cells = [0_u8; CELLS];
    for (index, column) in columns.into_iter().enumerate() {
        let shift = index * 11 % BITS;
        let (cell, spill) = (shift / 8, shift % 8);
        let [low, high] = (u16::from(column) << spill).to_le_bytes();
        cells[cell] ^= low;
        cells[(cell + 1) % CELLS] ^= high;
    }
    let length = (bytes.len() as u64).to_le_bytes();
    for (cell, byte) in cells[CELLS - length.len()..].iter_mut().zip(length) {
        *cell ^= byte;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn a_byte_is_shifted_by_eleven_bits_more_than_the_one_before() {
        assert_eq!(digest(b""), [0; 20]);
        let mut two = [0; 20];
        // 0xff at bit 11 fills bits 11 to 18; the length is 2.
        (two[1], two[2], two[12]) = (0b1111_1000, 0b0000_0111, 2);
        assert_eq!(digest(&[0, 0xff]), two);
        // Byte 14 stands at bit 154 and wraps round.
        let mut bytes = [0; 15];
        bytes[14] = 0xff;
        let mut wrapped = [0; 20];
        (wrapped[19], wrapped[0], wrapped[12]) = (0b1111_1100, 0b0000_0011, 15);
        assert_eq!(digest(&bytes), wrapped);
    }

    #[test]
    fn shifts_begin_anew_after_160_bytes() {
        let mut bytes = vec![0; 321];
        (bytes[1], bytes[161]) = (0x0f, 0xf0);
        let mut expected = [0; 20];
        (expected[1], expected[2]) = (0b1111_1000, 0b0000_0111);
        expected[12..].copy_from_slice(&321_u64.to_le_bytes());
        assert_eq!(digest(&bytes), expected);
    }
}
