//! RFC 3161 time stamps: the request for one, and the check of what an authority answered.
//!
//! A token says that some bytes existed when its authority signed it. It is checked **at its own time**: certificates of authorities
//! expire long before a record does. The chain must end in a certificate that the verifier brings; what stands in the token is not
//! believed because it stands there.

mod der_walk;

#[cfg(test)]
mod tests;

use revtrail_model::{
    Digest,
    time::{Timestamp, parse},
};
use ring::digest;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use self::der_walk::{Tlv, Walk, encode};

/// Largest answer of an authority that is read.
pub const MAX_TOKEN_BYTES: usize = 1 << 20;

const ID_SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const ID_TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const ID_CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const ID_MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const ID_SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c];
const ID_SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];
const ID_SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ID_SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const ID_SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
/// id-kp-timeStamping, the extended key usage that the authority's certificate must have.
const ID_KP_TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StampError {
    /// Bytes that are not an answer of RFC 3161 in DER.
    #[error("malformed time stamp: {0}")]
    Malformed(&'static str),
    /// The authority did not grant a token.
    #[error("the authority refused: status {0}")]
    Refused(u8),
    /// The token is about other bytes.
    #[error("time stamp is for other data")]
    OtherData,
    /// The token is not signed as it says.
    #[error("signature of the time stamp does not hold: {0}")]
    Signature(&'static str),
    /// The signer's certificate does not lead to a trusted one, was not valid then, or is not for time stamps.
    #[error("certificate of the time stamp is not trusted: {0}")]
    Certificate(String),
    /// A file of certificates that cannot be used.
    #[error("no usable certificate: {0}")]
    Authority(String),
}

/// A time stamp that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When the authority says it saw the bytes.
    pub at: Timestamp,
    /// The number of the request that it answers, as the bytes of a DER INTEGER.
    pub nonce: Option<Vec<u8>>,
}

/// The authorities that are trusted: certificates in which a chain must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    anchors: Vec<TrustAnchor<'static>>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Authority {
    /// Reads one or more `-----BEGIN CERTIFICATE-----`.
    pub fn from_pem(pem: &str) -> Result<Self, StampError> {
        let refuse = |error: &dyn std::fmt::Debug| StampError::Authority(format!("{error:?}"));
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refuse(&error))?;
        if certificates.is_empty() {
            return Err(StampError::Authority("the file holds none".into()));
        }
        let anchors = certificates
            .iter()
            .map(|one| anchor_from_trusted_cert(one).map(|anchor| anchor.to_owned()));
        Ok(Self {
            anchors: anchors
                .collect::<Result<_, _>>()
                .map_err(|error| refuse(&error))?,
            certificates,
        })
    }
}

/// A request for a token over data of this SHA-256, with a number that the answer must repeat (RFC 3161 §2.4.1). Asks for the
/// certificate, so that the token can be checked when the authority is gone.
pub fn request(sha256: &Digest, nonce: [u8; 8]) -> Vec<u8> {
    let algorithm = encode(0x30, &[&encode(0x06, &[ID_SHA256]), &encode(0x05, &[])]);
    let imprint = encode(0x30, &[&algorithm, &encode(0x04, &[sha256.as_bytes()])]);
    let version = encode(0x02, &[&[1]]);
    let all = [
        &version[..],
        &imprint,
        &encode(0x02, &[&positive(nonce)]),
        &encode(0x01, &[&[0xff]]),
    ];
    encode(0x30, &all)
}

/// The number as the bytes of a DER INTEGER: at once above zero and without a leading zero to spare.
pub fn positive(mut nonce: [u8; 8]) -> Vec<u8> {
    nonce[0] = (nonce[0] & 0x7f) | 0x40;
    nonce.to_vec()
}

/// Checks an answer of an authority: that it is about `data`, signed by a certificate for time stamps that was valid then, and that the
/// chain of this certificate ends in a trusted one.
pub fn check_stamp(answer: &[u8], data: &[u8], trusted: &Authority) -> Result<Stamp, StampError> {
    let cms = SignedData::parse(token(answer)?)?;
    let info = TstInfo::parse(cms.content)?;
    let imprint = hash(info.hash, data).ok_or(StampError::Malformed("unknown digest of the data"))?;
    if imprint.as_ref() != info.imprint {
        return Err(StampError::OtherData);
    }
    let attributes = cms.check_attributes()?;
    let certificate = cms.signer_certificate(&attributes)?;
    let signer = EndEntityCert::try_from(&certificate).map_err(|error| untrusted(&error))?;
    let message = encode(0x31, &[cms.attributes]);
    let holds = ALL_VERIFICATION_ALGS.iter().any(|algorithm| {
        signer
            .verify_signature(*algorithm, &message, cms.signature)
            .is_ok()
    });
    if !holds {
        return Err(StampError::Signature("not made by its certificate"));
    }
    let mut others = cms.certificates()?;
    others.extend(trusted.certificates.iter().cloned());
    let second =
        u64::try_from(info.at.as_second()).map_err(|_| StampError::Malformed("time is before 1970"))?;
    let usage = KeyUsage::required(ID_KP_TIME_STAMPING);
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(second));
    signer
        .verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &trusted.anchors,
            &others,
            at,
            usage,
            None,
            None,
        )
        .map_err(|error| untrusted(&error))?;
    Ok(Stamp {
        at: info.at,
        nonce: info.nonce.map(<[u8]>::to_vec),
    })
}

fn untrusted(error: &webpki::Error) -> StampError {
    StampError::Certificate(error.to_string())
}

fn hash(algorithm: &[u8], data: &[u8]) -> Option<digest::Digest> {
    let algorithm = match algorithm {
        ID_SHA256 => &digest::SHA256,
        ID_SHA384 => &digest::SHA384,
        ID_SHA512 => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, data))
}

/// The token in an answer that grants one (RFC 3161 §2.4.2): the value of `ContentInfo`.
fn token(answer: &[u8]) -> Result<&[u8], StampError> {
    let mut outer = Walk::whole(answer, 0x30)?;
    let mut status = outer.inside(0x30)?;
    match status.expect(0x02)? {
        [0 | 1] => {}
        [other] => return Err(StampError::Refused(*other)),
        _ => return Err(StampError::Malformed("status is not a small number")),
    }
    let token = outer.expect(0x30)?;
    outer.end()?;
    Ok(token)
}

/// What is needed of CMS `SignedData` (RFC 5652 §5.1) with its one signer.
struct SignedData<'a> {
    /// `TSTInfo` in DER.
    content: &'a [u8],
    certificates: Option<&'a [u8]>,
    digest: &'a [u8],
    /// Signed attributes, without their tag.
    attributes: &'a [u8],
    signature: &'a [u8],
}

/// Signed attributes that matter.
struct Attributes<'a> {
    signing_certificate: (&'a [u8], &'a [u8]),
}

impl<'a> SignedData<'a> {
    fn parse(token: &'a [u8]) -> Result<Self, StampError> {
        let mut info = Walk::new(token)?;
        if info.expect(0x06)? != ID_SIGNED_DATA {
            return Err(StampError::Malformed("token is not signed data"));
        }
        let mut data = info.inside(0xa0)?.inside(0x30)?;
        let _version = data.expect(0x02)?;
        let _digests = data.expect(0x31)?;
        let mut encapsulated = data.inside(0x30)?;
        if encapsulated.expect(0x06)? != ID_TST_INFO {
            return Err(StampError::Malformed("token holds no time stamp"));
        }
        let content = encapsulated.inside(0xa0)?.expect(0x04)?;
        let certificates = data.optional(0xa0)?;
        let _revocations = data.optional(0xa1)?;
        let mut signers = data.inside(0x31)?;
        let mut signer = signers.inside(0x30)?;
        signers.end()?;
        let _version = signer.expect(0x02)?;
        let _signer_id = signer.any()?;
        let digest = signer.inside(0x30)?.expect(0x06)?;
        let attributes = signer.expect(0xa0)?;
        let _algorithm = signer.expect(0x30)?;
        let signature = signer.expect(0x04)?;
        Ok(Self {
            content,
            certificates,
            digest,
            attributes,
            signature,
        })
    }

    /// The attributes must say what is signed (RFC 5652 §11.1, §11.2) and by which certificate (RFC 3161 §2.4.2).
    fn check_attributes(&self) -> Result<Attributes<'a>, StampError> {
        let (mut kind, mut digest, mut first, mut second) = (None, None, None, None);
        let mut walk = Walk::new(self.attributes)?;
        while let Some(attribute) = walk.next()? {
            let mut attribute = attribute.open(0x30)?;
            let id = attribute.expect(0x06)?;
            let mut values = attribute.inside(0x31)?;
            let slot = match id {
                ID_CONTENT_TYPE => &mut kind,
                ID_MESSAGE_DIGEST => &mut digest,
                ID_SIGNING_CERTIFICATE => &mut first,
                ID_SIGNING_CERTIFICATE_V2 => &mut second,
                _ => continue,
            };
            let value: Tlv<'a> = values.any()?;
            values.end()?;
            if slot.replace(value).is_some() {
                return Err(StampError::Malformed("an attribute stands there twice"));
            }
        }
        let missing = StampError::Signature("a signed attribute is missing");
        if kind.ok_or(missing.clone())?.value(0x06)? != ID_TST_INFO {
            return Err(StampError::Signature("what is signed is not a time stamp"));
        }
        let made =
            hash(self.digest, self.content).ok_or(StampError::Malformed("unknown digest of the signer"))?;
        if digest.ok_or(missing.clone())?.value(0x04)? != made.as_ref() {
            return Err(StampError::Signature("what is signed has another digest"));
        }
        let (named, v2) = match (second, first) {
            (Some(named), _) => (named, true),
            (None, Some(named)) => (named, false),
            (None, None) => return Err(missing),
        };
        // The first certificate named is the signer's; its digest comes after the algorithm, where one is given.
        let mut certificate = named.open(0x30)?.inside(0x30)?.inside(0x30)?;
        let algorithm = match certificate.optional(0x30)? {
            Some(algorithm) if v2 => Walk::new(algorithm)?.expect(0x06)?,
            Some(_) => return Err(StampError::Malformed("digest of the certificate")),
            None if v2 => ID_SHA256,
            None => &[],
        };
        Ok(Attributes {
            signing_certificate: (algorithm, certificate.expect(0x04)?),
        })
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, StampError> {
        let mut found = Vec::new();
        let mut walk = Walk::new(self.certificates.unwrap_or_default())?;
        while let Some(one) = walk.next()? {
            found.push(CertificateDer::from(one.bytes()));
        }
        Ok(found)
    }

    /// The embedded certificate that the signed attribute names by its digest.
    fn signer_certificate(&self, attributes: &Attributes<'_>) -> Result<CertificateDer<'static>, StampError> {
        let (algorithm, named) = attributes.signing_certificate;
        let is_named = |one: &CertificateDer<'_>| {
            // The old attribute knows SHA-1 only. It picks the certificate; what is trusted is its chain.
            let made = match algorithm {
                [] => Some(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, one)),
                other => hash(other, one),
            };
            made.is_some_and(|made| made.as_ref() == named)
        };
        let found = self.certificates()?.into_iter().find(is_named);
        found.ok_or_else(|| StampError::Certificate("the signer's certificate is not in the token".into()))
    }
}

/// What is needed of `TSTInfo` (RFC 3161 §2.4.2).
struct TstInfo<'a> {
    hash: &'a [u8],
    imprint: &'a [u8],
    at: Timestamp,
    nonce: Option<&'a [u8]>,
}

impl<'a> TstInfo<'a> {
    fn parse(content: &'a [u8]) -> Result<Self, StampError> {
        let mut info = Walk::whole(content, 0x30)?;
        if info.expect(0x02)? != [1] {
            return Err(StampError::Malformed("version is not 1"));
        }
        let _policy = info.expect(0x06)?;
        let mut imprint = info.inside(0x30)?;
        let hash = imprint.inside(0x30)?.expect(0x06)?;
        let imprint = imprint.expect(0x04)?;
        let _serial = info.expect(0x02)?;
        let at = general_time(info.expect(0x18)?)?;
        let _accuracy = info.optional(0x30)?;
        let _ordering = info.optional(0x01)?;
        let nonce = info.optional(0x02)?;
        Ok(Self {
            hash,
            imprint,
            at,
            nonce,
        })
    }
}

/// `20261121033241Z`, with a fraction where the authority gives one.
fn general_time(text: &[u8]) -> Result<Timestamp, StampError> {
    let malformed = StampError::Malformed("time");
    let text = std::str::from_utf8(text).map_err(|_| malformed.clone())?;
    let (digits, rest) = text.split_at_checked(14).ok_or(malformed.clone())?;
    let is_time = digits.bytes().all(|byte| byte.is_ascii_digit()) && rest.ends_with('Z');
    let mut parts = digits.as_bytes().chunks(2).map(String::from_utf8_lossy);
    let mut part = || parts.next().unwrap_or_default();
    let (century, year, month, day) = (part(), part(), part(), part());
    let (hour, minute, second) = (part(), part(), part());
    let written = format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}{rest}");
    parse(&written).ok().filter(|_| is_time).ok_or(malformed)
}
