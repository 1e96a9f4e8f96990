//! [`Overlay`]: writes a row with what was loaded in the places of its relations.

use crate::SerializeShape;
use serde::{
    Serialize,
    ser::{Error, Impossible, SerializeStruct, Serializer},
};

/// Writes a struct as the serializer within does, but for the slots of loaded relations: there it writes their rows. What has no slot, as
/// its field is skipped or has another name, follows the fields.
pub(super) struct Overlay<'d, O, S: SerializeShape> {
    pub(super) within: O,
    pub(super) data: &'d S::Data,
}

macro_rules! no_struct {
    ($($method:ident($($argument:ty),*) -> $out:ty;)*) => { $(
        fn $method(self $(, _: $argument)*) -> Result<$out, O::Error> {
            Err(O::Error::custom(NO_STRUCT))
        }
    )* };
}
const NO_STRUCT: &str =
    "a row with loaded relations is written as a struct: its model's `Serialize` must write one, without `flatten`";

impl<'d, O: Serializer, S: SerializeShape> Serializer for Overlay<'d, O, S> {
    type Ok = O::Ok;
    type Error = O::Error;
    type SerializeSeq = Impossible<O::Ok, O::Error>;
    type SerializeTuple = Impossible<O::Ok, O::Error>;
    type SerializeTupleStruct = Impossible<O::Ok, O::Error>;
    type SerializeTupleVariant = Impossible<O::Ok, O::Error>;
    type SerializeMap = Impossible<O::Ok, O::Error>;
    type SerializeStruct = Fields<'d, O::SerializeStruct, S>;
    type SerializeStructVariant = Impossible<O::Ok, O::Error>;

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, O::Error> {
        Ok(Fields { within: self.within.serialize_struct(name, len)?, data: self.data, written: Vec::new() })
    }

    fn is_human_readable(&self) -> bool {
        self.within.is_human_readable()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<O::Ok, O::Error> {
        Err(O::Error::custom(NO_STRUCT))
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, _: &T) -> Result<O::Ok, O::Error> {
        Err(O::Error::custom(NO_STRUCT))
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<O::Ok, O::Error> {
        Err(O::Error::custom(NO_STRUCT))
    }
    no_struct! {
        serialize_bool(bool) -> O::Ok;
        serialize_i8(i8) -> O::Ok;
        serialize_i16(i16) -> O::Ok;
        serialize_i32(i32) -> O::Ok;
        serialize_i64(i64) -> O::Ok;
        serialize_u8(u8) -> O::Ok;
        serialize_u16(u16) -> O::Ok;
        serialize_u32(u32) -> O::Ok;
        serialize_u64(u64) -> O::Ok;
        serialize_f32(f32) -> O::Ok;
        serialize_f64(f64) -> O::Ok;
        serialize_char(char) -> O::Ok;
        serialize_str(&str) -> O::Ok;
        serialize_bytes(&[u8]) -> O::Ok;
        serialize_none() -> O::Ok;
        serialize_unit() -> O::Ok;
        serialize_unit_struct(&'static str) -> O::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> O::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

/// The fields of the struct, being written.
pub(super) struct Fields<'d, O, S: SerializeShape> {
    within: O,
    data: &'d S::Data,
    /// The relations that are.
    written: Vec<&'static str>,
}

impl<O: SerializeStruct, S: SerializeShape> SerializeStruct for Fields<'_, O, S> {
    type Ok = O::Ok;
    type Error = O::Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), O::Error> {
        if S::NAMES.contains(&key) {
            self.written.push(key);
            return S::write(self.data, key, &mut self.within);
        }
        self.within.serialize_field(key, value)
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), O::Error> {
        if S::NAMES.contains(&key) { Ok(()) } else { self.within.skip_field(key) }
    }

    fn end(mut self) -> Result<O::Ok, O::Error> {
        for name in S::NAMES.iter().filter(|name| !self.written.contains(name)) {
            S::write(self.data, name, &mut self.within)?;
        }
        self.within.end()
    }
}
