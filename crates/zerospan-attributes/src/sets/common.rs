use super::shared::SharedAttributes;
use opentelemetry::KeyValue;
use std::env::consts;
use zerospan_core::sync::LazyBox;

/// Attributes of this process that the standard library knows.
///
/// | key | value |
/// |---|---|
/// | `telemetry.sdk.language` | `rust` |
/// | `os.type` | `linux`, `windows`, `darwin`, … (semantic conventions) |
/// | `host.arch` | `amd64`, `arm64`, … (semantic conventions) |
/// | `process.executable.name` | the executable's file name; absent if it is unknown or not UTF-8 |
///
/// Does not name the service: see [`ZeroCopyAttributeBuilder`](crate::ZeroCopyAttributeBuilder). Has no process id, which
/// would be wrong after a `fork`. Built on first use, with a handful of allocations.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_attributes::{COMMON_ATTRIBUTES, Overlay};
/// use zerospan_core::AttributeSource;
///
/// assert!(COMMON_ATTRIBUTES.contains(&KeyValue::new("telemetry.sdk.language", "rust")));
///
/// let mut request: Overlay<_, (&str, &str)> = Overlay::new(&*COMMON_ATTRIBUTES);
/// assert!(request.try_set(("http.route", "/users/{id}")).is_ok());
/// assert_eq!(request.len(), COMMON_ATTRIBUTES.len() + 1);
/// ```
pub static COMMON_ATTRIBUTES: LazyBox<SharedAttributes> = LazyBox::new(|| {
    let executable = std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .map(|name| KeyValue::new("process.executable.name", name));
    [
        KeyValue::new("telemetry.sdk.language", "rust"),
        KeyValue::new("os.type", os_type(consts::OS)),
        KeyValue::new("host.arch", host_arch(consts::ARCH)),
    ]
    .into_iter()
    .chain(executable)
    .collect()
});

/// Returns the semantic conventions' name of an operating system, or Rust's name if they list none.
fn os_type(os: &'static str) -> &'static str {
    match os {
        "macos" | "ios" => "darwin",
        "dragonfly" => "dragonflybsd",
        other => other,
    }
}

/// Returns the semantic conventions' name of a processor architecture, or Rust's name if they list none.
fn host_arch(arch: &'static str) -> &'static str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_semantic_conventions() {
        assert_eq!(os_type("macos"), "darwin");
        assert_eq!(os_type("linux"), "linux");
        assert_eq!(host_arch("x86_64"), "amd64");
        assert_eq!(host_arch("s390x"), "s390x");
    }
}
