//! Attacks with pictures.

use super::make::{chunk, png, png_of, rows, zip, zlib};
use super::*;

#[test]
fn picture_that_is_a_script_too_is_refused() {
    // A GIF whose size begins a comment that ends in its own comment, before a script.
    let still = corpus("gif_still.gif");
    for size in [b"/*\x10\0", b"=1/*", b"=`a`", b"//aa", b"\n=/*"] {
        let mut file = still.clone();
        file[6..10].copy_from_slice(size);
        refused(&file, MediaType::Gif, "script");
    }
    let whole = corpus("jpeg_exif.jpg");
    let comment = [&b"\xff\xd8\xff\xfe/*"[..], &vec![b'x'; 0x2f2a - 2], &whole[2..]].concat();
    refused(&comment, MediaType::Jpeg, "script");
    // JFIF with a script in what it does not show.
    let jfif = [
        &b"\xff\xd8\xff\xe0\x00\x30JFIF\0\x01\x01\0\0\x01\0\x01\0\0"[..],
        b"*/=alert(1)/*aaaaaaaaaaaaaaaaaaaa",
        &whole[2..],
    ]
    .concat();
    refused(&jfif, MediaType::Jpeg, "longer than it says");
}

#[test]
fn picture_that_holds_an_archive_a_stub_or_a_page_is_refused_wherever_it_holds_it() {
    let archive = zip(&[super::make::put("Evil.class", b"evil")]);
    for (hidden, because) in [
        (&archive[..], "ZIP archive"),
        (b"<?PHP system($_GET[0]); ?>", "PHP script"),
        (b"xx __HALT_COMPILER(); ?>", "PHP archive"),
        (b"<SCRIPT>alert(1)</SCRIPT>", "web pages"),
    ] {
        let chunk = chunk(*b"teXt", hidden);
        refused(&png(2, 2, &chunk, &rows(2, 2)), MediaType::Png, because);
        let length = u16::try_from(hidden.len() + 2).unwrap().to_be_bytes();
        let whole = corpus("jpeg_exif.jpg");
        refused(
            &[b"\xff\xd8\xff\xfe", &length[..], hidden, &whole[2..]].concat(),
            MediaType::Jpeg,
            because,
        );
        let still = corpus("gif_still.gif");
        let comment = [
            b"!\xfe",
            &[u8::try_from(hidden.len()).unwrap()][..],
            hidden,
            b"\0",
        ]
        .concat();
        let end = still.len() - 1;
        refused(&[&still[..end], &comment, b";"].concat(), MediaType::Gif, because);
    }
    // Across the edge of what is in memory at a time.
    let long = [vec![b'x'; 32 * 1024 - 60], b"<?php evil".to_vec()].concat();
    refused(
        &png(2, 2, &chunk(*b"teXt", &long), &rows(2, 2)),
        MediaType::Png,
        "PHP script",
    );
}

#[test]
fn png_that_unfolds_into_more_or_less_than_its_picture_is_refused() {
    accepted(&png(3, 2, b"", &rows(3, 2)), MediaType::Png);
    refused(
        &png(3, 2, b"", &rows(3, 1_000_000)),
        MediaType::Png,
        "more than its picture",
    );
    refused(&png(3, 2, b"", &rows(3, 1)), MediaType::Png, "ends before");
    refused(&png(3, 2, b"", &[5; 8]), MediaType::Png, "cannot be read");
    let hidden = [zlib(&rows(3, 2)), b"hidden".to_vec()].concat();
    refused(
        &png_of([8, 0, 0, 0, 0], 3, 2, b"", &hidden),
        MediaType::Png,
        "not drawn",
    );
    // Fifty thousand by fifty thousand points in a few bytes.
    refused(
        &png(50_000, 50_000, b"", &rows(3, 2)),
        MediaType::Png,
        "more than 50000000 pixels",
    );
    refused(&png(0x7fff_ffff, 0x7fff_ffff, b"", b""), MediaType::Png, "pixels");
}

#[test]
fn png_interlaced_is_counted_pass_by_pass() {
    // 5 by 3, 8 bits of grey, Adam7: 1×1, 1×1, none, 1×1, 3×1, 2×2, 5×1.
    let passes = [(1, 1), (1, 1), (1, 1), (3, 1), (2, 2), (5, 1)];
    let data: Vec<u8> = passes
        .into_iter()
        .flat_map(|(width, height)| rows(width, height))
        .collect();
    accepted(&png_of([8, 0, 0, 0, 1], 5, 3, b"", &zlib(&data)), MediaType::Png);
    refused(
        &png_of([8, 0, 0, 0, 1], 5, 3, b"", &zlib(&data[1..])),
        MediaType::Png,
        "ends before",
    );
    refused(
        &png_of([8, 0, 0, 0, 1], 5, 3, b"", &zlib(&rows(5, 3))),
        MediaType::Png,
        "ends before",
    );
}

#[test]
fn png_whose_remarks_unfold_into_a_bomb_is_refused() {
    let bomb = zlib(&vec![b'a'; 6 * 1024 * 1024]);
    for (kind, head) in [
        (b"zTXt", &b"Comment\0\0"[..]),
        (b"iCCP", b"icc\0\0"),
        (b"iTXt", b"Comment\0\x01\0\0\0"),
    ] {
        let file = png(2, 2, &chunk(*kind, &[head, &bomb].concat()), &rows(2, 2));
        assert!(file.len() < 10_000);
        refused(&file, MediaType::Png, "unfold into more");
        // Many small ones are one large one.
        let half = zlib(&vec![b'a'; 3 * 1024 * 1024]);
        let both = chunk(*kind, &[head, &half].concat()).repeat(2);
        refused(&png(2, 2, &both, &rows(2, 2)), MediaType::Png, "unfold into more");
        let small = zlib(b"a remark");
        accepted(
            &png(2, 2, &chunk(*kind, &[head, &small].concat()), &rows(2, 2)),
            MediaType::Png,
        );
    }
}

#[test]
fn png_keeps_its_rules() {
    let mut flipped = png(2, 2, b"", &rows(2, 2));
    let last = flipped.len() - 20;
    flipped[last] ^= 1;
    refused(&flipped, MediaType::Png, "");
    refused(
        &png(2, 2, &chunk(*b"EVIL", b"x"), &rows(2, 2)),
        MediaType::Png,
        "no known kind",
    );
    refused(&png(0, 2, b"", b""), MediaType::Png, "header");
    refused(&png_of([3, 0, 0, 0, 0], 2, 2, b"", b""), MediaType::Png, "header");
    refused(
        &png_of([8, 3, 0, 0, 0], 2, 2, b"", &zlib(&rows(2, 2))),
        MediaType::Png,
        "palette",
    );
    let apart = [chunk(*b"IDAT", &zlib(&rows(2, 2))[..4]), chunk(*b"tEXt", b"a\0b")].concat();
    refused(&png(2, 2, &apart, &rows(2, 2)), MediaType::Png, "");
}

#[test]
fn animation_counts_with_all_its_frames() {
    let small = InspectLimits::default().with_max_pixels(24 * 16 * 2);
    let still = InspectLimits::default().with_max_frames(1);
    for (name, kind) in [
        ("png_animated.png", MediaType::Png),
        ("gif_animated.gif", MediaType::Gif),
        ("webp_animated.webp", MediaType::WebP),
    ] {
        accepted(&corpus(name), kind);
        refused_within(&corpus(name), kind, "more than 1 frames", &still);
        if kind != MediaType::WebP {
            refused_within(&corpus(name), kind, "more than 768 pixels", &small);
        }
    }
    let one = InspectLimits::default().with_max_pixels(24 * 16);
    refused_within(&corpus("webp_animated.webp"), MediaType::WebP, "pixels", &one);
    // More frames than are promised.
    let mut file = corpus("png_animated.png");
    let at = file.windows(4).position(|bytes| bytes == b"acTL").unwrap();
    let said = chunk(*b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
    file.splice(at - 4..at + 16, said);
    refused(&file, MediaType::Png, "more frames than it says");
}

#[test]
fn gif_whose_codes_draw_more_or_less_than_it_says_is_refused() {
    let frame = |codes: &[u8], sides: [u8; 4]| {
        let [across, down, wide, high] = sides;
        let mut file = b"GIF89a".to_vec();
        file.extend([wide, 0, high, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
        file.extend([b',', 0, 0, 0, 0, across, 0, down, 0, 0, 2]);
        file.push(u8::try_from(codes.len()).unwrap());
        file.extend(codes);
        file.extend([0, b';']);
        file
    };
    // Clear, 1, 1, end: codes of 3 bits, the second of which stands for what has just been made or not.
    let two = [0b0100_1100, 0b1010];
    accepted(&frame(&two, [2, 1, 4, 4]), MediaType::Gif);
    refused(&frame(&two, [3, 1, 4, 4]), MediaType::Gif, "ends before");
    refused(
        &frame(&two, [1, 1, 4, 4]),
        MediaType::Gif,
        "more points than it says",
    );
    refused(
        &frame(&two, [2, 1, 1, 1]),
        MediaType::Gif,
        "not within the picture",
    );
    // Without a first clearing, and a code that nothing has made.
    refused(
        &frame(&[0b0000_1001], [2, 1, 4, 4]),
        MediaType::Gif,
        "cannot be read",
    );
    refused(
        &frame(&[0b0011_1100], [2, 1, 4, 4]),
        MediaType::Gif,
        "cannot be read",
    );
}

#[test]
fn jpeg_that_is_drawn_in_too_many_passes_or_cannot_be_drawn_is_refused() {
    let whole = corpus("jpeg_progressive.jpg");
    let scan = whole.windows(2).rposition(|bytes| bytes == [0xff, 0xda]).unwrap();
    let end = whole.len() - 2;
    let bomb = [&whole[..end], &whole[scan..end].repeat(500), &whole[end..]].concat();
    refused(&bomb, MediaType::Jpeg, "more than 64 passes");
    let height = whole.windows(2).position(|bytes| bytes == [0xff, 0xc2]).unwrap() + 5;
    let mut huge = whole.clone();
    huge[height..height + 4].fill(0xff);
    refused(&huge, MediaType::Jpeg, "more than 50000000 pixels");
    let mut none = whole.clone();
    none[height..height + 2].fill(0);
    refused(&none, MediaType::Jpeg, "header");
    let tables = whole.windows(2).position(|bytes| bytes == [0xff, 0xdb]).unwrap();
    let mut without = whole.clone();
    without[tables + 1] = 0xfe;
    assert!(
        look(&without, &InspectLimits::default()).is_err(),
        "its tables are a remark"
    );
    let twice = [&whole[..], &whole[..]].concat();
    refused(&twice, MediaType::Jpeg, "further bytes");
}

#[test]
fn webp_says_everywhere_the_same() {
    let whole = corpus("webp_exif.webp");
    let mut canvas = whole.clone();
    canvas[24] ^= 1;
    refused(&canvas, MediaType::WebP, "another size");
    let mut huge = whole.clone();
    huge[24..30].fill(0xff);
    refused(&huge, MediaType::WebP, "more than 50000000 pixels");
    let mut unknown = whole.clone();
    let at = unknown.windows(4).position(|bytes| bytes == b"EXIF").unwrap();
    unknown[at..at + 4].copy_from_slice(b"EVIL");
    refused(&unknown, MediaType::WebP, "no known kind");
    let mut longer = whole;
    longer[4] += 2;
    refused(&longer, MediaType::WebP, "ends before");
}
