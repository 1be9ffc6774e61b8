use crate::environment::Environment;
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;

const SERVICE_NAME: &str = "service.name";

/// The provider's resource: what the user gave, over what the environment says, over what the SDK knows by itself.
///
/// `telemetry.sdk.*` name this project whatever the user's resource says, which has the stock SDK's from its builder; and
/// where that builder took `OTEL_RESOURCE_ATTRIBUTES` as they stand, they are decoded.
pub(crate) fn resource(environment: &Environment<'_>, given: Option<Resource>) -> Resource {
    let from_environment = environment.resource_attributes();
    let mut builder =
        Resource::builder_empty().with_attribute(KeyValue::new(SERVICE_NAME, unknown_service()));
    for found in &from_environment {
        builder = builder.with_attribute(found.attribute.clone());
    }
    if let Some(name) = environment.service_name() {
        builder = builder.with_attribute(KeyValue::new(SERVICE_NAME, name));
    }
    if let Some(given) = given {
        let decoded = |key: &Key, value: &Value| {
            let found = from_environment.iter().find(|found| {
                found.attribute.key == *key
                    && matches!(value, Value::String(text) if text.as_str() == found.raw)
            });
            KeyValue::new(
                key.clone(),
                found.map_or_else(|| value.clone(), |found| found.attribute.value.clone()),
            )
        };
        let attributes: Vec<KeyValue> = given
            .iter()
            .map(|(key, value)| decoded(key, value))
            .collect();
        builder = match given.schema_url() {
            Some(url) => builder.with_schema_url(attributes, url.to_owned()),
            None => builder.with_attributes(attributes),
        };
    }
    builder
        .with_attributes([
            KeyValue::new("telemetry.sdk.name", "zerospan"),
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ])
        .build()
}

/// `over` on top of `base`, by the SDK's rules: its attributes win, and its schema URL if it has one.
pub(crate) fn merged(base: &Resource, over: &Resource) -> Resource {
    let mut builder = Resource::builder_empty();
    for resource in [base, over] {
        let attributes = resource
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        builder = match resource.schema_url() {
            Some(url) => builder.with_schema_url(attributes, url.to_owned()),
            None => builder.with_attributes(attributes),
        };
    }
    builder.build()
}

fn unknown_service() -> String {
    let executable = std::env::current_exe().ok();
    match executable.as_deref().and_then(|path| path.file_name()) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)], given: Option<Resource>) -> Resource {
        let read = |name: &str| {
            let found = pairs.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        resource(&Environment::new(&read), given)
    }

    fn text(resource: &Resource, key: &'static str) -> String {
        resource
            .get(&Key::from_static_str(key))
            .map_or_else(String::new, |value| value.as_str().into_owned())
    }

    #[test]
    fn resource_names_this_project_and_an_unknown_service() {
        let resource = of(&[], None);
        assert_eq!(text(&resource, "telemetry.sdk.name"), "zerospan");
        assert_eq!(text(&resource, "telemetry.sdk.language"), "rust");
        assert!(!text(&resource, "telemetry.sdk.version").is_empty());
        assert!(text(&resource, SERVICE_NAME).starts_with("unknown_service:"));
    }

    #[test]
    fn resource_prefers_code_to_service_name_to_attributes() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a%20b,host=h");
        let resource = of(&[attributes], None);
        assert_eq!(text(&resource, SERVICE_NAME), "a b");
        let named = [attributes, ("OTEL_SERVICE_NAME", "named")];
        assert_eq!(text(&of(&named, None), SERVICE_NAME), "named");
        let given = Resource::builder_empty()
            .with_attribute(KeyValue::new(SERVICE_NAME, "given"))
            .build();
        let resource = of(&named, Some(given));
        assert_eq!(text(&resource, SERVICE_NAME), "given");
        assert_eq!(text(&resource, "host"), "h");
    }

    #[test]
    fn resource_keeps_the_schema_url_and_decodes_what_the_stock_builder_did_not() {
        let given = Resource::builder_empty()
            .with_schema_url(
                [
                    KeyValue::new("team", "a%20b"),
                    KeyValue::new("telemetry.sdk.name", "opentelemetry"),
                ],
                "https://example.com/schema",
            )
            .build();
        let resource = of(&[("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b")], Some(given));
        assert_eq!(text(&resource, "team"), "a b");
        assert_eq!(text(&resource, "telemetry.sdk.name"), "zerospan");
        assert_eq!(resource.schema_url(), Some("https://example.com/schema"));
    }
}
