//! Walking through DER, value by value, and writing it. Tags are given as their first byte; larger tag numbers do not occur here.

use der::{Decode as _, Encode as _, Reader as _, SliceReader, asn1::AnyRef};

use super::StampError;

const MALFORMED: StampError = StampError::Malformed("not DER of the expected form");

/// The values within a constructed one.
pub(super) struct Walk<'a>(SliceReader<'a>);

/// One value with its tag.
#[derive(Clone, Copy)]
pub(super) struct Tlv<'a> {
    value: AnyRef<'a>,
    bytes: &'a [u8],
}

impl<'a> Walk<'a> {
    /// The values in these bytes.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, StampError> {
        SliceReader::new(bytes).map(Self).map_err(|_| MALFORMED)
    }

    /// The values within the one value that these bytes are.
    pub(super) fn whole(bytes: &'a [u8], tag: u8) -> Result<Self, StampError> {
        let mut outer = Self::new(bytes)?;
        let inner = outer.inside(tag)?;
        outer.end()?;
        Ok(inner)
    }

    /// The next value, if there is one.
    pub(super) fn next(&mut self) -> Result<Option<Tlv<'a>>, StampError> {
        if self.0.is_finished() {
            return Ok(None);
        }
        let bytes = self.0.tlv_bytes().map_err(|_| MALFORMED)?;
        let value = AnyRef::from_der(bytes).map_err(|_| MALFORMED)?;
        Ok(Some(Tlv { value, bytes }))
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self) -> Result<Tlv<'a>, StampError> {
        self.next()?.ok_or(MALFORMED)
    }

    /// Content of the next value, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], StampError> {
        self.any()?.value(tag)
    }

    /// The values within the next one.
    pub(super) fn inside(&mut self, tag: u8) -> Result<Self, StampError> {
        self.any()?.open(tag)
    }

    /// Content of the next value, if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, StampError> {
        match self.0.peek_byte() {
            Some(next) if next == tag => self.expect(tag).map(Some),
            _ => Ok(None),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), StampError> {
        if self.0.is_finished() {
            Ok(())
        } else {
            Err(MALFORMED)
        }
    }
}

impl<'a> Tlv<'a> {
    /// Content of a value with this tag.
    pub(super) fn value(&self, tag: u8) -> Result<&'a [u8], StampError> {
        if self.bytes.first() == Some(&tag) {
            Ok(self.value.value())
        } else {
            Err(MALFORMED)
        }
    }

    /// The values within it.
    pub(super) fn open(&self, tag: u8) -> Result<Walk<'a>, StampError> {
        Walk::new(self.value(tag)?)
    }

    /// The value as it stands, with its tag.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.bytes.to_vec()
    }
}

/// A value of this tag with this content.
pub(super) fn encode(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    // Only lengths that the reader took, or shorter ones of our own, come here.
    let length = der::Length::try_from(content.len()).and_then(|length| length.to_der());
    bytes.extend(length.unwrap_or_default());
    bytes.extend(content);
    bytes
}
