// SPDX-License-Identifier: GPL-2.0
//! portus itself speaks with our end of its wire: it understands what we write,
//! and we what it writes.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Mutex,
    },
};

use ccp_core::portus::{self as wire, FieldUpdate, Request};
use portus::{
    ipc::{BackendBuilder, Ipc},
    lang::Scope,
    CongAlg, Datapath, DatapathInfo, DatapathTrait, Flow, Report, RunBuilder,
};

const PROGRAM: &str = include_str!("../../../userspace/lang/tests/programs/gca_interval.ccp");

type Bytes = Arc<Mutex<Vec<Vec<u8>>>>;

/// Gives portus what is scripted, message by message, and keeps what it sends.
struct Script {
    to_client: Mutex<std::vec::IntoIter<Vec<u8>>>,
    from_client: Bytes,
    go_on: Arc<AtomicBool>,
}

impl Ipc for Script {
    type Addr = ();

    fn name() -> String {
        "script".to_owned()
    }

    fn send(&self, message: &[u8], (): &()) -> portus::Result<()> {
        self.from_client.lock().unwrap().push(message.to_vec());
        Ok(())
    }

    fn recv(&self, room: &mut [u8]) -> portus::Result<(usize, ())> {
        let Some(message) = self.to_client.lock().unwrap().next() else {
            self.go_on.store(false, Ordering::SeqCst);
            return Err(portus::Error("the end".to_owned()));
        };
        room[..message.len()].copy_from_slice(&message);
        Ok((message.len(), ()))
    }

    fn close(&mut self) -> portus::Result<()> {
        Ok(())
    }
}

/// What the algorithm was told, in its words.
type Told = Arc<Mutex<Vec<String>>>;

struct Algorithm(Told);

struct Client<I: Ipc> {
    told: Told,
    scope: Scope,
    control: Datapath<I>,
}

impl<I: Ipc> CongAlg<I> for Algorithm {
    type Flow = Client<I>;

    fn name() -> &'static str {
        "test"
    }

    fn datapath_programs(&self) -> HashMap<&'static str, String> {
        // portus allows no comment before the first word.
        let lines = PROGRAM.lines().filter(|line| !line.starts_with('#'));
        HashMap::from([("interval", lines.collect::<Vec<_>>().join("\n"))])
    }

    fn new_flow(&self, mut control: Datapath<I>, info: DatapathInfo) -> Client<I> {
        self.0.lock().unwrap().push(format!("{info:?}"));
        let presets = [("reportTime", 7_000), ("Cwnd", u32::MAX)];
        let scope = control.set_program("interval", Some(&presets)).unwrap();
        Client {
            told: Arc::clone(&self.0),
            scope,
            control,
        }
    }
}

impl<I: Ipc> Flow for Client<I> {
    fn on_report(&mut self, sid: u32, report: Report) {
        let field = |name| report.get_field(name, &self.scope).unwrap();
        let said = format!(
            "{sid}: {} {}",
            field("Report.acked"),
            field("Report.inflight")
        );
        self.told.lock().unwrap().push(said);
        let updates = [("Rate", 1_000_000), ("Cwnd", 14_480)];
        self.control.update_field(&self.scope, &updates).unwrap();
    }

    fn close(&mut self) {
        self.told.lock().unwrap().push("closed".to_owned());
    }
}

/// portus numbers its programs through the whole process: one test at a time.
static NUMBERS: Mutex<()> = Mutex::new(());

/// Both sides of a session in which portus is sent these messages.
fn session(messages: Vec<Vec<u8>>) -> (Vec<String>, Vec<Vec<u8>>) {
    let go_on = Arc::new(AtomicBool::new(true));
    let (told, sent) = (Told::default(), Bytes::default());
    let sock = Script {
        to_client: Mutex::new(messages.into_iter()),
        from_client: Arc::clone(&sent),
        go_on: Arc::clone(&go_on),
    };
    RunBuilder::new(BackendBuilder { sock })
        .default_alg(Algorithm(Arc::clone(&told)))
        .with_stop_handle(go_on)
        .run()
        .unwrap();
    let sent = sent.lock().unwrap().clone();
    let told = told.lock().unwrap().clone();
    (told, sent)
}

fn create(sid: u32) -> Vec<u8> {
    let end = |address, port: u16| wire::Endpoint {
        address,
        port: port.to_be_bytes(),
    };
    wire::Create {
        sid,
        init_cwnd: 14_480,
        mss: 1_448,
        local: end([10, 0, 1, 1], 0x1234),
        remote: end([10, 0, 2, 2], 0x5678),
        algorithm: b"",
    }
    .bytes()
    .to_vec()
}

/// A register of the update as portus has it.
fn update(class: u8, index: u32, value: u64) -> FieldUpdate {
    FieldUpdate {
        class,
        index,
        value,
    }
}

#[test]
fn a_session() {
    let _alone = NUMBERS.lock();
    let ready = wire::ready(1).to_vec();
    let (_, sent) = session(vec![ready.clone()]);
    let Ok(Request::Install { uid, .. }) = Request::decode(&sent[0]) else {
        panic!("{sent:?}");
    };
    // Each compilation in this process gets the next number.
    let next = uid + 1;
    let fields = [1, 2, 3, 4, 5, 6];
    let report = wire::Measure::new(9, next, &fields).bytes().to_vec();
    let (told, sent) = session(vec![
        ready,
        create(9),
        report.clone(),
        wire::close(9).to_vec(),
        // To portus the flow is gone.
        report,
    ]);
    // On the wire are the bytes of the network.
    let address = |bytes| u32::from_le_bytes(bytes);
    assert_eq!(
        told,
        [
            format!(
                "DatapathInfo {{ sock_id: 9, init_cwnd: 14480, mss: 1448, src_ip: {}, \
                 src_port: {}, dst_ip: {}, dst_port: {} }}",
                address([10, 0, 1, 1]),
                0x3412,
                address([10, 0, 2, 2]),
                0x7856
            ),
            "9: 1 6".to_owned(),
            "closed".to_owned(),
        ]
    );

    assert_eq!(sent.len(), 3);
    let Ok(Request::Install {
        uid,
        events,
        instructions,
    }) = Request::decode(&sent[0])
    else {
        panic!("{sent:?}");
    };
    assert_eq!(uid, next);
    assert_eq!((events.len(), instructions.len()), (3 * 16, 24 * 16));
    ccp_core::vm::verify(events, instructions).unwrap();
    let Ok(Request::Change { sid, uid, updates }) = Request::decode(&sent[1]) else {
        panic!("{sent:?}");
    };
    assert_eq!((sid, uid), (9, next));
    let expected = [update(0, 0, 7_000), update(2, 4, u64::from(u32::MAX))];
    assert!(updates.iter().eq(expected), "{updates:?}");
    let Ok(Request::Update { sid, updates }) = Request::decode(&sent[2]) else {
        panic!("{sent:?}");
    };
    assert_eq!(sid, 9);
    let expected = [update(2, 5, 1_000_000), update(2, 4, 14_480)];
    assert!(updates.iter().eq(expected), "{updates:?}");
}

/// Several messages in one read, the longest report, and a report without fields,
/// which must not be the end of the flow.
#[test]
fn messages_in_a_row() {
    let _alone = NUMBERS.lock();
    let (_, sent) = session(vec![wire::ready(1).to_vec()]);
    let Ok(Request::Install { uid, .. }) = Request::decode(&sent[0]) else {
        panic!("{sent:?}");
    };
    let uid = uid + 1;
    let long: Vec<u64> = (1..=16).collect();
    let mut row = wire::ready(1).to_vec();
    row.extend(create(1));
    row.extend(create(2));
    row.extend(wire::Measure::new(2, uid, &long).bytes());
    row.extend(wire::close(1));
    row.extend(wire::Measure::new(2, uid, &[5; 6]).bytes());
    let (told, sent) = session(vec![row]);
    let told: Vec<&str> = told.iter().skip(2).map(String::as_str).collect();
    assert_eq!(told, ["2: 1 6", "closed", "2: 5 5"]);
    assert_eq!(sent.len(), 5);
}
