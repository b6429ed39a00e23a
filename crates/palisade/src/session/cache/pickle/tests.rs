//! Pickles as Python writes them, and as somebody writes them who wants to be executed.

use super::*;

/// `{'_auth_user_id': '1', 'n': 1, …}` as Python 3.11 pickles it, in each protocol.
const PYTHONS: [&str; 2] = [
    "80027d710028580d0000005f617574685f757365725f69647101580100000031710258010000006e71034b0158010000006271044bff58010000006d71054dffff58030000006e656771064affffffff580300000062696771078a0900000000000000004058020000006e6271088a090000000000000000c05801000000667109473ff800000000000058030000006e616e710a477ff0000000000000580100000074710b8858020000006e6f710c4e58010000006c710d5d710e284b015d710f284b027d71106565580200000074757111284b014b024b034b047471125802000000743171134b0185711458010000006571155809000000c3a9f09f9880225c0a7116580300000073757271175803000000eda08071185802000000783171195d711a284b014b026558020000007832711b681a752e",
    "800595da000000000000007d94288c0d5f617574685f757365725f6964948c0131948c016e944b018c0162944bff8c016d944dffff8c036e6567944affffffff8c03626967948a090000000000000000408c026e62948a090000000000000000c08c016694473ff80000000000008c036e616e94477ff00000000000008c017494888c026e6f944e8c016c945d94284b015d94284b027d9465658c02747594284b014b024b034b0474948c027431944b0185948c0165948c09c3a9f09f9880225c0a948c03737572948c03eda080948c027831945d94284b014b02658c02783294681a752e",
];

const JSON: &str = r#"{"_auth_user_id":"1","n":1,"b":255,"m":65535,"neg":-1,"big":1180591620717411303424,"nb":-1180591620717411303424,"f":1.5,"nan":Infinity,"t":true,"no":null,"l":[1,[2,{}]],"tu":[1,2,3,4],"t1":[1],"e":"\u00e9\ud83d\ude00\"\\\n","sur":"\ud800","x1":[1,2],"x2":[1,2]}"#;

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn plain_data_is_read_as_python_wrote_it() {
    for pickle in PYTHONS {
        assert_eq!(read(&bytes(pickle)).unwrap().unwrap(), JSON);
    }
}

#[test]
fn what_is_written_is_read_again() {
    let pickle = write(JSON).unwrap();
    assert_eq!(read(&pickle).unwrap().unwrap(), JSON);
    let spaced = write(" { \"a\" : [ 1 , -0, 2e3 , \"\\/\\u0041\" ] } ").unwrap();
    assert_eq!(read(&spaced).unwrap().unwrap(), r#"{"a":[1,0,2000.0,"/A"]}"#);
    assert_eq!(read(b"\x80\x05N.").unwrap(), None, "None is no value");
}

/// `pickle.dumps` of an object whose `__reduce__` gives `(os.system, ("id",))`, and relatives of it.
#[test]
fn a_pickle_that_calls_anything_is_refused_before_it_is_called() {
    for attack in [
        &b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94."[..],
        b"cos\nsystem\n(S'id'\ntR.",
        b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.",
        b"(S'id'\nios\nsystem\n.",
        b"\x80\x02}(X\x01\x00\x00\x00acbuiltins\neval\nX\x01\x00\x00\x001\x85Ru.",
        b"\x80\x04\x82\x01.",
        b"\x80\x02X\x01\x00\x00\x00aQ.",
    ] {
        assert!(matches!(read(attack), Err(Refused::NotPlain(_) | Refused::Damaged)));
    }
    let system = read(b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93.").unwrap_err();
    assert!(system.to_string().contains("posix.system"), "{system}");
    let forged = read(b"\x80\x04\x8c\x03a\nb\x8c\x01c\x93.").unwrap_err();
    assert!(
        forged.to_string().contains("?.c"),
        "a name that is none stays out of the log: {forged}"
    );
}

#[test]
fn what_has_no_form_in_json_is_refused_by_its_name() {
    for (pickle, name) in [
        (&b"\x80\x04}(\x8c\x01aC\x01xu."[..], "bytes"),
        (b"\x80\x04}(\x8c\x01a\x8fu.", "a set"),
        (b"\x80\x04}(K\x01K\x02u.", "keys are not text"),
    ] {
        let refused = read(pickle).unwrap_err().to_string();
        assert!(refused.contains(name), "{refused}");
    }
}

#[test]
fn a_damaged_pickle_is_refused_wherever_it_breaks() {
    for pickle in PYTHONS.map(bytes) {
        for end in 0..pickle.len() {
            assert!(read(&pickle[..end]).is_err(), "cut at {end}");
        }
        let mut longer = pickle.clone();
        longer.push(b'.');
        assert_eq!(read(&longer), Err(Refused::Damaged));
    }
    for bad in [
        &b"."[..],
        b"5",
        b"\x80\x01N.",
        b"\x80\x04(NNNt",
        b"\x80\x04(.",
        b"\x80\x04N(\x94.",
        b"\x80\x04h\x00.",
        b"\x80\x04Nr\xff\xff\xff\xff.",
        b"\x80\x04}(\x8c\x01au.",
        b"\x80\x04NNe.",
        b"\x80\x04\x8c\x01\xff.",
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
        b"\x80\x04](NN.",
    ] {
        assert_eq!(read(bad), Err(Refused::Damaged), "{bad:?}");
    }
}

/// Each line names the one before it ten times: a few hundred bytes that are ten to the thirtieth lists.
#[test]
fn a_pickle_that_grows_without_end_is_refused() {
    let mut bomb = b"\x80\x04]\x94".to_vec();
    for line in 0..30_u8 {
        bomb.extend_from_slice(b"](");
        for _ in 0..10 {
            bomb.extend_from_slice(&[b'h', line]);
        }
        bomb.extend_from_slice(b"e\x94");
    }
    // Everything but the last is put away into one list.
    bomb.extend_from_slice(b"\x8c\x01a");
    let mut pickle = b"\x80\x04(".to_vec();
    pickle.extend_from_slice(&bomb[2..]);
    pickle.extend_from_slice(b"t.");
    assert_eq!(read(&pickle), Err(Refused::TooLarge));
}

/// The attack: under two hundred bytes, read on a thread that serves everybody, for a second each time.
#[test]
fn a_short_pickle_that_becomes_a_long_text_is_refused_long_before_it_is_written_out() {
    let tower = |lines: u8| {
        let mut pickle = b"\x80\x04(]\x94".to_vec();
        for line in 0..lines {
            pickle.extend_from_slice(b"](");
            for _ in 0..10 {
                pickle.extend_from_slice(&[b'h', line]);
            }
            pickle.extend_from_slice(b"e\x94");
        }
        pickle.extend_from_slice(b"t.");
        pickle
    };
    assert!(
        tower(3).len() < 100 && read(&tower(3)).is_ok(),
        "a thousand lists"
    );
    assert!(tower(5).len() < 181);
    assert_eq!(read(&tower(5)), Err(Refused::TooLarge), "a hundred thousand");
    // What is as long as it looks is not a tower.
    let session = format!(r#"{{"text":"{}"}}"#, "é\\u0001".repeat(60_000));
    let read = read(&write(&session).unwrap()).unwrap();
    assert_eq!(read.unwrap().len(), r#"{"text":""}"#.len() + 12 * 60_000);
    assert_eq!(
        write(&format!("\"{}\"", "a".repeat(LONGEST))),
        None,
        "it could not be read again"
    );
}

#[test]
fn a_list_inside_itself_and_a_deep_one_are_refused() {
    assert_eq!(read(b"\x80\x04]\x94h\x00a."), Err(Refused::TooLarge));
    let mut deep = b"\x80\x04".to_vec();
    deep.extend(std::iter::repeat_n(b']', 100_000));
    deep.extend(std::iter::repeat_n(b'a', 99_999));
    deep.push(b'.');
    assert_eq!(read(&deep), Err(Refused::TooLarge));
    let many: Vec<u8> = [b"\x80\x04(".as_slice(), &b"N".repeat(MOST_VALUES + 1), b"t."].concat();
    assert_eq!(read(&many), Err(Refused::TooLarge));
}
