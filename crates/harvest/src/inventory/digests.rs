//! Digests of one content, in the little room that many items leave each.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// Algorithm and value, by algorithm. As JSON it is an object, like the map it comes from; in memory it takes a fifth of that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digests(Box<[(Box<str>, Box<str>)]>);

impl Digests {
    /// True when the provider gave none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&BTreeMap<String, String>> for Digests {
    fn from(map: &BTreeMap<String, String>) -> Self {
        let pairs = map
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        Self(pairs.collect())
    }
}

impl From<&Digests> for BTreeMap<String, String> {
    fn from(digests: &Digests) -> Self {
        let pairs = digests
            .0
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        pairs.collect()
    }
}

impl Serialize for Digests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Digests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Digests;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of digests by algorithm")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digests, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            pairs.insert(name, value);
        }
        Ok(Digests::from(&pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_an_object_in_order_of_the_algorithms() {
        let digests: Digests = serde_json::from_str(r#"{"sha1":"B","quickxor":"A="}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&digests).unwrap(),
            r#"{"quickxor":"A=","sha1":"B"}"#
        );
        let map = BTreeMap::from(&digests);
        assert_eq!(
            map.into_iter().collect::<Vec<_>>(),
            [("quickxor".into(), "A=".into()), ("sha1".into(), "B".into())]
        );
    }

    #[test]
    fn refuses_what_is_not_an_object_of_texts() {
        for text in ["[]", r#"{"md5":1}"#] {
            let refused = serde_json::from_str::<Digests>(text).unwrap_err();
            assert!(
                refused.is_data() && refused.to_string().contains("invalid type"),
                "{text}: {refused}"
            );
        }
    }
}
