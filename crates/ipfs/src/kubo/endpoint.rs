use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use url::Url;

use super::{KuboError, KuboOptions, kubo_options::Authorization};

/// Where the calls of a daemon go.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Scheme, host and port, without anything secret.
    pub(crate) url: String,
    /// What stands before the path of a call.
    pub(crate) base: http02::Uri,
    pub(crate) authorization: Option<HeaderValue>,
}

impl Endpoint {
    pub(crate) fn new(options: &KuboOptions) -> Result<Endpoint, KuboError> {
        let given = options.url.trim();
        let wrong = |shown: &str, reason: &str| KuboError::Url { url: shown.to_owned(), reason: reason.to_owned() };
        // what stands before an `@` may be a password, and is never shown
        let shown = match (given.find("://"), given.rfind('@')) {
            (Some(scheme), Some(at)) if at > scheme => format!("{}{}", &given[..scheme + 3], &given[at + 1..]),
            (None, Some(at)) => given[at + 1..].to_owned(),
            _ => given.to_owned(),
        };
        if given.starts_with('/') {
            return Err(wrong(&shown, "a multiaddress is not taken here"));
        }
        let url: Url = match given.parse() {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => return Err(wrong(&shown, "it has no scheme")),
            Err(error) => return Err(wrong(&shown, &error.to_string())),
        };
        if !matches!(url.scheme(), "http" | "https") {
            // `localhost:5001` is read as a scheme and a path
            let reason =
                if given.contains("://") { "its scheme is neither http nor https" } else { "it has no scheme" };
            return Err(wrong(&shown, reason));
        }
        if !matches!(url.path(), "" | "/") {
            return Err(wrong(&shown, &format!("it has the path `{}`, which is added by itself", url.path())));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(&shown, "it has something behind the port"));
        }
        let host = url.host_str().ok_or_else(|| wrong(&shown, "it has no host"))?;
        let port = url.port_or_known_default().ok_or_else(|| wrong(&shown, "it has no port"))?;
        let plain = format!("{}://{host}:{port}", url.scheme());
        let base = format!("{plain}/api/v0").parse();
        let base = base.map_err(|error: http02::uri::InvalidUri| wrong(&shown, &error.to_string()))?;
        let in_url = || {
            let decoded =
                |text: &str| percent_decoded(text).ok_or_else(|| wrong(&shown, "its user or password is not UTF-8"));
            let password = url.password().unwrap_or_default();
            Ok::<_, KuboError>(match (url.username(), password) {
                ("", "") => None,
                (user, password) => Some(Authorization::Basic { user: decoded(user)?, password: decoded(password)? }),
            })
        };
        let authorization = match &options.authorization {
            Some(authorization) => Some(authorization.clone()),
            None => in_url()?,
        };
        let authorization = match authorization {
            None => None,
            Some(Authorization::Basic { user, .. }) if user.contains(':') => {
                return Err(wrong(&plain, "its user has a colon, which would end it"));
            }
            Some(Authorization::Basic { user, password }) => Some(basic(&user, &password)),
            Some(Authorization::Bearer { token }) => {
                let value = HeaderValue::from_str(&format!("Bearer {token}"));
                let mut value = value.map_err(|_| wrong(&plain, "its token has characters that no header can have"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Endpoint { url: plain, base, authorization })
    }
}

/// The header of a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> HeaderValue {
    let text = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    let mut value = HeaderValue::from_str(&text).expect("base64 is ASCII");
    value.set_sensitive(true);
    value
}

/// `%41` is `A`.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let hex = if *first == b'%' { after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()) } else { None };
        // a sign would be taken for a number's
        let hex = hex.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Result<Endpoint, String> {
        Endpoint::new(&KuboOptions::new(url)).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_read() {
        for (given, url) in [
            ("http://127.0.0.1:5001", "http://127.0.0.1:5001"),
            ("http://127.0.0.1:5001/", "http://127.0.0.1:5001"),
            (" https://kubo.example.org ", "https://kubo.example.org:443"),
            ("http://[::1]:5001", "http://[::1]:5001"),
        ] {
            let endpoint = endpoint(given).unwrap();
            assert_eq!((endpoint.url.as_str(), endpoint.authorization), (url, None));
            assert_eq!(endpoint.base.to_string(), format!("{url}/api/v0"));
        }
    }

    #[test]
    fn secrets_become_headers_and_are_not_shown() {
        let with = endpoint("http://me:s%40fe@127.0.0.1:5001").unwrap();
        assert_eq!(with.url, "http://127.0.0.1:5001");
        assert_eq!(with.authorization.unwrap().to_str().unwrap(), "Basic bWU6c0BmZQ==");
        let error = endpoint("ftp://me:secret@host:1").err().unwrap();
        assert!(error.contains("`ftp://host:1`") && !error.contains("secret"), "{error}");
        let bearer = Endpoint::new(&KuboOptions::new("http://h:1").bearer("t")).unwrap();
        assert_eq!(bearer.authorization.unwrap().to_str().unwrap(), "Bearer t");
        assert!(Endpoint::new(&KuboOptions::new("http://h:1").bearer("t\n")).is_err());
        assert!(Endpoint::new(&KuboOptions::new("http://h:1").basic("a:b", "c")).is_err());
        assert_eq!(percent_decoded("a%2B%+1%").unwrap(), "a+%+1%");
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (given, reason) in [
            ("127.0.0.1:5001", "no scheme"),
            ("localhost:5001", "no scheme"),
            ("", "no scheme"),
            ("ws://127.0.0.1:5001", "neither http nor https"),
            ("http://127.0.0.1:5001/api/v0", "the path `/api/v0`"),
            ("http://127.0.0.1:5001/?x=1", "behind the port"),
            ("http://127.0.0.1:99999", "port"),
            ("/ip4/127.0.0.1/tcp/5001", "multiaddress"),
            ("http://", "host"),
        ] {
            let error = endpoint(given).err().unwrap();
            assert!(error.contains(reason) && error.contains("http://127.0.0.1:5001"), "{given}: {error}");
        }
    }
}
