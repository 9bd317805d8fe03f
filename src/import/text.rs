//! From a file's bytes to text: unpacked, in UTF-8, with `\n` at the end of every line.

use std::io::{self, Cursor, Read};

use encoding_rs::{Decoder, Encoding as Known, GB18030, UTF_8};
use flate2::read::MultiGzDecoder;

use super::mapping::Encoding;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The plain bytes of a file that may be packed with gzip.
pub(super) fn unpack<'a>(mut packed: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::new();
    packed.by_ref().take(GZIP.len() as u64).read_to_end(&mut head)?;
    let is_gzip = head == GZIP;
    let whole = Cursor::new(head).chain(packed);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// How much is looked at to tell an encoding.
const WINDOW: usize = 1 << 16;

/// Reads bytes as text. Bytes that the encoding does not know become U+FFFD; line ends become `\n`.
///
/// An encoding that is not told is guessed: a byte order mark decides; else the first 64 KiB from the first
/// byte beyond ASCII on do. Up to there the encodings agree.
pub(super) struct Text<R> {
    bytes: R,
    ended: bool,
    encoding: Encoding,
    decoder: Option<Decoder>,
    /// Read and not decoded.
    raw: Vec<u8>,
    /// Decoded and not given out, from `given` on.
    text: Vec<u8>,
    given: usize,
    after_return: bool,
}

impl<R: Read> Text<R> {
    pub(super) fn new(bytes: R, encoding: Encoding) -> io::Result<Self> {
        let mut text = Self {
            bytes,
            ended: false,
            encoding,
            decoder: None,
            raw: Vec::with_capacity(WINDOW),
            text: Vec::with_capacity(WINDOW),
            given: 0,
            after_return: false,
        };
        text.read_raw()?;
        if let Some((marked, length)) = Known::for_bom(&text.raw)
            && encoding != Encoding::Gb18030
        {
            text.decoder = Some(marked.new_decoder_without_bom_handling());
            text.raw.drain(..length);
        }
        Ok(text)
    }

    /// Fills the raw bytes up to a window.
    fn read_raw(&mut self) -> io::Result<()> {
        let wanted = WINDOW.saturating_sub(self.raw.len());
        if !self.ended && wanted > 0 {
            let read = self.bytes.by_ref().take(wanted as u64).read_to_end(&mut self.raw)?;
            self.ended = read < wanted;
        }
        Ok(())
    }

    /// Decodes a window into text.
    fn decode(&mut self) -> io::Result<()> {
        self.read_raw()?;
        self.text.clear();
        self.given = 0;
        let ascii = self.raw.iter().take_while(|byte| byte.is_ascii()).count();
        match &mut self.decoder {
            None if ascii > 0 || self.raw.is_empty() => self.text.extend(self.raw.drain(..ascii)),
            None => {
                let encoding = match self.encoding {
                    Encoding::Auto => guess(&self.raw),
                    Encoding::Utf8 => UTF_8,
                    Encoding::Gb18030 => GB18030,
                };
                self.decoder = Some(encoding.new_decoder_without_bom_handling());
            }
            Some(decoder) => {
                let most = decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(4 * WINDOW);
                self.text.resize(most, 0);
                let (_, read, written, _) = decoder.decode_to_utf8(&self.raw, &mut self.text, self.ended);
                self.text.truncate(written);
                self.raw.drain(..read);
            }
        }
        self.unify_line_ends();
        Ok(())
    }

    /// Writes `\n` for `\r\n` and for `\r`.
    fn unify_line_ends(&mut self) {
        let mut after_return = self.after_return;
        self.text.retain_mut(|byte| {
            let second_half = after_return && *byte == b'\n';
            after_return = *byte == b'\r';
            if after_return {
                *byte = b'\n';
            }
            !second_half
        });
        self.after_return = after_return;
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if self.ended && self.raw.is_empty() {
                return Ok(0);
            }
            self.decode()?;
        }
        let rest = self.text.get(self.given..).unwrap_or(&[]);
        let read = rest.len().min(out.len());
        let mut rest = rest;
        let read = rest.read(out.get_mut(..read).unwrap_or(&mut []))?;
        self.given += read;
        Ok(read)
    }
}

/// UTF-8 where that reads nine of ten of the characters beyond ASCII. One that was cut in the middle, as
/// exports do to long texts, is no sign of another encoding; and of GB18030 hardly anything can be read as
/// UTF-8.
fn guess(bytes: &[u8]) -> &'static Known {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good >= 9 * bad { UTF_8 } else { GB18030 }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    /// Gives few bytes at a time, as sockets and pipes may.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let most = out.len().min(self.1);
            self.0.read(&mut out[..most])
        }
    }

    fn read(bytes: &[u8], encoding: Encoding) -> String {
        let mut text = String::new();
        Text::new(unpack(Drip(bytes, 3)).unwrap(), encoding).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn encodings_are_told_apart() {
        let text = "编号,街道\n1,坑梓街道\n2,马峦街道\n";
        let gb = GB18030.encode(text).0;
        assert_eq!(read(text.as_bytes(), Encoding::Auto), text);
        assert_eq!(read(&gb, Encoding::Auto), text);
        assert_eq!(read(&gb, Encoding::Gb18030), text);
        assert_eq!(read(format!("\u{feff}{text}").as_bytes(), Encoding::Auto), text);
        assert_eq!(read(format!("\u{feff}{text}").as_bytes(), Encoding::Utf8), text);
        assert_eq!(read(b"", Encoding::Auto), "");
        assert_eq!(read(b"\n", Encoding::Auto), "\n");
    }

    #[test]
    fn the_first_letter_beyond_ascii_may_come_late_and_across_a_window() {
        for shift in 0..4 {
            let text = format!("{}坑梓街道\n龙田", "x".repeat(3 * WINDOW - shift));
            assert_eq!(read(text.as_bytes(), Encoding::Auto), text);
            assert_eq!(read(&GB18030.encode(&text).0, Encoding::Auto), text);
        }
    }

    #[test]
    fn a_letter_cut_in_the_middle_is_marked_and_does_not_turn_the_file() {
        let mut bytes = "坑梓街道办事处,马峦街道办事处".as_bytes().to_vec();
        bytes.extend(&"龙".as_bytes()[..2]);
        bytes.extend(b",end");
        assert_eq!(read(&bytes, Encoding::Auto), "坑梓街道办事处,马峦街道办事处\u{fffd},end");
    }

    #[test]
    fn packed_files_are_told_by_their_first_bytes() {
        let mut packed = Vec::new();
        for part in ["a,b\n", "1,2\n"] {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(part.as_bytes()).unwrap();
            packed.extend(gzip.finish().unwrap());
        }
        assert_eq!(read(&packed, Encoding::Auto), "a,b\n1,2\n");
        assert_eq!(read(&[0x1f], Encoding::Utf8), "\u{1f}");
        packed.truncate(packed.len() - 10);
        let cut = Text::new(unpack(&packed[..]).unwrap(), Encoding::Auto);
        let cut = cut.and_then(|mut text| text.read_to_string(&mut String::new()));
        assert!(cut.is_err());
    }

    proptest! {
        #[test]
        fn line_ends_become_one(
            lines in prop::collection::vec(("x[a-z坑]{0,3}", 0..3_usize), 1..20),
            drip in 1..5_usize,
        ) {
            let ends = ["\n", "\r\n", "\r"];
            let mixed: String = lines.iter().map(|(line, end)| format!("{line}{}", ends[*end])).collect();
            let plain: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
            let mut text = String::new();
            Text::new(Drip(mixed.as_bytes(), drip), Encoding::Utf8).unwrap().read_to_string(&mut text).unwrap();
            prop_assert_eq!(text, plain);
        }

        #[test]
        fn any_bytes_are_text(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for encoding in [Encoding::Auto, Encoding::Utf8, Encoding::Gb18030] {
                let mut text = String::new();
                Text::new(&bytes[..], encoding).unwrap().read_to_string(&mut text).unwrap();
            }
        }
    }
}
