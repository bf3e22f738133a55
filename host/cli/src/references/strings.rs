//! The strings inside of a secret that is JSON.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// The strings in this JSON, but for the names of members.
pub(super) fn in_json(text: &str) -> Vec<Zeroizing<String>> {
    let mut strings = Vec::new();
    let _ = Strings(&mut strings).deserialize(&mut serde_json::Deserializer::from_str(text));
    strings
}

struct Strings<'a>(&'a mut Vec<Zeroizing<String>>);

impl<'de> DeserializeSeed<'de> for Strings<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push(Zeroizing::new(text.to_owned()));
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strings(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key::<IgnoredAny>()?.is_some() {
            members.next_value_seed(Strings(self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_but_names_is_found() {
        for (json, expected) in [
            (
                r#"{"user":"u\n","a":[1,"b",{"c":"d","e":null,"f":true,"g":-1.5}]}"#,
                vec!["u\n", "b", "d"],
            ),
            (r#""alone""#, vec!["alone"]),
            ("12", vec![]),
            ("no JSON", vec![]),
        ] {
            let found: Vec<_> = in_json(json).iter().map(|text| text.to_string()).collect();
            assert_eq!(found, expected, "{json}");
        }
    }
}
