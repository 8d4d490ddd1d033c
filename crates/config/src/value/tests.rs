use super::*;

#[test]
fn doubles_print_as_in_java() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.9, "0.9"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1e7, "1.0E7"),
        (9_999_999.0, "9999999.0"),
        (2_147_483_647.0, "2.147483647E9"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ];
    for (value, expected) in cases {
        assert_eq!(java_double(value), expected);
    }
}

#[test]
fn what_rust_takes_for_a_number_and_java_does_not_is_refused() {
    for text in [
        "inf", "nan", "infinity", "-inf", "", " ", "1e", "--1", "0x1p3",
    ] {
        assert!(ValueType::Double.parse("x", text).is_err(), "{text}");
    }
}

#[test]
fn passwords_are_never_shown() {
    let value = ValueType::Password
        .parse("ssl.key.password", "secret")
        .expect("any text");
    assert_eq!(value.to_string(), HIDDEN_PASSWORD);
    assert_eq!(format!("{value:?}"), HIDDEN_PASSWORD);
}
