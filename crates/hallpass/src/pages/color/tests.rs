use super::*;

fn color(text: &str) -> Color {
    Color::parse(text).unwrap()
}

#[test]
fn colours_are_three_or_six_hex_digits() {
    assert_eq!(color("#0af").to_string(), "#00aaff");
    assert_eq!(color("#24292F").to_string(), "#24292f");
    for bad in
        ["", "#", "red", "#12", "#1234", "#12345", "#1234567", "#ggg", "#+12", "123456", "#é1", "#fff;}"]
    {
        assert_eq!(Color::parse(bad), None, "{bad}");
    }
}

#[test]
fn contrast_is_that_of_wcag() {
    assert!((Color::BLACK.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
    assert!((color("#777777").contrast(Color::WHITE) - 4.478).abs() < 0.001);
    assert!((Color::WHITE.contrast(color("#0000ff")) - 8.592).abs() < 0.001);
}

#[test]
fn ink_can_be_read_on_every_colour() {
    for red in (0..=255).step_by(15) {
        for green in (0..=255).step_by(15) {
            for blue in (0..=255).step_by(15) {
                let color = Color::new(red, green, blue);
                assert!(color.contrast(color.ink()) > 4.5, "{color}");
            }
        }
    }
}

#[test]
fn a_legible_colour_is_left_alone_and_another_moved_just_far_enough() {
    let (surface, ink) = (color("#ffffff"), color("#1c1c1a"));
    assert_eq!(color("#5865f2").legible(surface, ink, 3.0), color("#5865f2"));
    let yellow = color("#ffd60a").legible(surface, ink, 3.0);
    assert!(yellow.contrast(surface) >= 3.0 && yellow.contrast(surface) < 3.6, "{yellow}");
}
