use super::parse_iso_duration_ms;

#[test]
fn durations_are_read_as_in_java() {
    let cases = [
        ("PT1H", Some(3_600_000)),
        ("P1DT2H3M4.5S", Some(93_784_500)),
        ("P2D", Some(172_800_000)),
        ("PT0S", Some(0)),
        ("PT0.0015S", Some(1)),
        ("PT-1H", Some(-3_600_000)),
        ("-PT1H", Some(-3_600_000)),
        ("pt1h1m", Some(3_660_000)),
        ("P", None),
        ("PT", None),
        ("P1DT", None),
        ("PT1M1H", None),
        ("P1Y", None),
        ("PT1.5H", None),
        ("PT.5S", None),
        ("1H", None),
        ("PT9223372036854775807H", None),
        ("", None),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_iso_duration_ms(text), expected, "{text}");
    }
}
