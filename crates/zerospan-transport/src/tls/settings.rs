use crate::error::ConfigError;
use std::path::PathBuf;

/// The sources of certificates and keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsSettings {
    pub(crate) ca: Option<Source>,
    pub(crate) certificate: Option<Source>,
    pub(crate) key: Option<Source>,
}

/// A file, or the text itself.
#[derive(Clone)]
pub(crate) struct Source {
    setting: String,
    from: From,
}

#[derive(Clone)]
enum From {
    File(PathBuf),
    Text(Vec<u8>),
}

/// The text of certificates and keys.
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(crate) struct Pems {
    pub(crate) ca: Option<Pem>,
    pub(crate) certificate: Option<Pem>,
    pub(crate) key: Option<Pem>,
}

/// A text in PEM, and its origin for messages.
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(crate) struct Pem {
    setting: String,
    origin: String,
    pub(crate) text: Vec<u8>,
}

impl TlsSettings {
    /// Reads the files.
    pub(crate) fn read(&self) -> Result<Pems, ConfigError> {
        let read = |source: &Option<Source>| source.as_ref().map(Source::read).transpose();
        Ok(Pems {
            ca: read(&self.ca)?,
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
        })
    }
}

impl Source {
    pub(crate) fn file(setting: impl Into<String>, path: PathBuf) -> Self {
        Self {
            setting: setting.into(),
            from: From::File(path),
        }
    }

    pub(crate) fn text(setting: impl Into<String>, text: Vec<u8>) -> Self {
        Self {
            setting: setting.into(),
            from: From::Text(text),
        }
    }

    fn read(&self) -> Result<Pem, ConfigError> {
        let (origin, text) = match &self.from {
            From::Text(text) => ("a text".to_owned(), text.clone()),
            From::File(path) => match std::fs::read(path) {
                Ok(text) => (path.display().to_string(), text),
                Err(error) => {
                    return Err(ConfigError::new(
                        &self.setting,
                        path.display(),
                        format!("the path of a PEM file that can be read ({error})"),
                    ));
                }
            },
        };
        Ok(Pem {
            setting: self.setting.clone(),
            origin,
            text,
        })
    }
}

/// Prints the origin of the text, and not the text: it may be a key.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.from {
            // The text itself may have been given as the path.
            From::File(_) => f.debug_tuple("File").finish_non_exhaustive(),
            From::Text(_) => f.debug_tuple("Text").finish_non_exhaustive(),
        }
    }
}

#[cfg_attr(not(feature = "tls"), allow(dead_code))]
impl Pem {
    /// Returns the error for a text that cannot be used.
    pub(crate) fn unusable(&self, why: String) -> ConfigError {
        ConfigError::new(
            &self.setting,
            &self.origin,
            format!("certificates in PEM, and for a client a certificate and its key ({why})"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_certificate_or_key_only_the_kind_of_its_origin_is_printed() {
        let settings = TlsSettings {
            certificate: Some(Source::file("certificate", PathBuf::from("the secret"))),
            key: Some(Source::text("key", b"the secret".to_vec())),
            ..TlsSettings::default()
        };
        let printed = format!("{settings:?}");
        assert!(printed.contains("certificate: Some(File(..))"), "{printed}");
        assert!(printed.contains("key: Some(Text(..))"), "{printed}");
    }
}
