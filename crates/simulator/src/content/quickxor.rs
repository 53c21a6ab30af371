//! `quickXorHash`, as Microsoft documents it for OneDrive for Business: each byte is mixed by exclusive or into a ring of
//! 160 bits, 11 bits further than the byte before; then the length likewise into the last 8 bytes, little end first.

const RING_BITS: usize = 160;
const STEP_BITS: usize = 11;

/// The 20 bytes of the hash.
pub(super) fn digest(bytes: &[u8]) -> [u8; 20] {
    let mut ring = [0_u8; 20];
    let mut bit = 0;
    for byte in bytes {
        let wide = u16::from(*byte) << (bit % 8);
        let [low, high] = wide.to_le_bytes();
        let at = bit / 8;
        ring[at] ^= low;
        ring[(at + 1) % 20] ^= high;
        bit = (bit + STEP_BITS) % RING_BITS;
    }
    for (to, from) in ring.iter_mut().skip(12).zip((bytes.len() as u64).to_le_bytes()) {
        *to ^= from;
    }
    ring
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_bytes_on_the_ring() {
        assert_eq!(super::digest(b""), [0; 20]);
        let one = super::digest(b"J");
        assert_eq!(one[0], b'J');
        assert_eq!(one[12], 1);
        let fifteen = super::digest(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff]);
        // 14 steps of 11 bits are bit 154: six bits in the last byte, two wrap to the first.
        assert_eq!(
            (fifteen[19], fifteen[0], fifteen[12]),
            (0b1111_1100, 0b0000_0011, 15)
        );
    }
}
