//! Places of a file of rules, as a table. That nft gives the values back is shown with the real one.

use super::*;

#[test]
fn each_place_has_its_form() {
    let ports = Value::List(vec![Value::Int(22), Value::Int(8099)]);
    check(
        Grammar::Nft,
        &[
            ("tcp dport § accept # §", &[Value::Int(22), string("a \"")], "tcp dport 22 accept # a \""),
            (
                "tcp dport § accept; tcp dport {1, §}",
                &[ports.clone(), ports],
                "tcp dport { 22, 8099 } accept; tcp dport {1, 22, 8099}",
            ),
            ("ip saddr § drop", &[string("10.0.0.0/8")], "ip saddr 10.0.0.0/8 drop"),
            ("ip6 saddr != §", &[list(&["::1", "fe80::/10"])], "ip6 saddr != { ::1, fe80::/10 }"),
            (
                "elements = { §, § }",
                &[string("10.0.0.1"), string("10.0.0.2")],
                "elements = { 10.0.0.1, 10.0.0.2 }",
            ),
            ("tcp dport §-§", &[Value::Int(1), Value::Int(2)], "tcp dport 1-2"),
            ("ip saddr §-10.0.0.9", &[string("10.0.0.1")], "ip saddr 10.0.0.1-10.0.0.9"),
            ("ip saddr §/§", &[string("10.0.0.0"), Value::Int(8)], "ip saddr 10.0.0.0/8"),
            (
                "ip saddr §/24, 10.0.0.0/§",
                &[string("10.0.0.0"), Value::Int(8)],
                "ip saddr 10.0.0.0/24, 10.0.0.0/8",
            ),
            ("dnat to §:§", &[string("10.0.0.1"), Value::Int(8)], "dnat to 10.0.0.1:8"),
            ("dnat to [§]:§", &[string("::1"), Value::Int(8)], "dnat to [::1]:8"),
            ("limit rate §/second", &[Value::Int(8)], "limit rate 8/second"),
            ("priority §;", &[Value::Int(-8)], "priority -8;"),
            (
                "iifname \"§\" log prefix \"x §: \" comment \"§\"",
                &[string("eth0"), string("a\\'#"), string("$x *")],
                "iifname \"eth0\" log prefix \"x a\\'#: \" comment \"$x *\"",
            ),
            (
                "iifname { lo, \"§\", \"eth§\" }",
                &[string("a.b"), Value::Int(1)],
                "iifname { lo, \"a.b\", \"eth1\" }",
            ),
        ],
        &[],
    );
}

#[test]
fn what_cannot_be_exact_is_refused() {
    check(
        Grammar::Nft,
        &[],
        &[
            ("tcp dport 1§", &[Value::Int(2)], "one word"),
            ("tcp dport §§", &[Value::Int(2), Value::Int(2)], "one word"),
            ("tcp dport §s", &[Value::Int(2)], "one word"),
            ("x eth-§", &[Value::Int(2)], "one word"),
            ("x @§", &[Value::Int(2)], "one word"),
            ("x \\§", &[Value::Int(2)], "one word"),
            ("dnat to §:§", &[string("::1"), Value::Int(8)], "one word"),
            ("dnat to [§]:8099", &[string("2001:db8::/32")], "one word"),
            ("map { 22:§ }", &[string("::1")], "one word"),
            ("fe80::§", &[Value::Int(2)], "one word"),
            ("ip saddr §/33", &[string("10.0.0.0")], "one word"),
            ("ip saddr §/8", &[string("10.0.0.1")], "`10.0.0.1/8` as `10.0.0.0/8`"),
            ("ip saddr §/§", &[string("10.0.0.1"), Value::Int(8)], "`10.0.0.1/8` as `10.0.0.0/8`"),
            ("ip saddr §", &[string("10.0.0.1/8")], "`10.0.0.1/8` as `10.0.0.0/8`"),
            ("ip saddr §", &[string("localhost")], "neither an address"),
            ("chain § {}", &[string("a")], "neither an address"),
            ("tcp dport §", &[string("22")], "neither an address"),
            ("tcp dport §", &[Value::Int(-1)], "negative"),
            ("tcp dport 22 §", &[Value::Int(-1)], "negative"),
            ("tcp dport §", &[Value::Bool(true)], "a boolean"),
            ("tcp dport §", &[list(&[])], "empty"),
            ("ip saddr §", &[list(&["10.0.0.1", "::1"])], "different kinds"),
            ("ip saddr §", &[list(&["10.0.0.1 } accept"])], "in the list"),
            ("ip saddr 1§", &[list(&["10.0.0.1"])], "one word"),
            ("comment \"§\"", &[string("\"")], "meaning of its own"),
            ("comment \"§\"", &[string("\n")], "line break"),
            ("comment \"§\"", &[string(&"x".repeat(129))], "128 bytes"),
            ("comment \"§\"", &[string("")], "empty"),
            ("iifname \"§\"", &[string("eth*")], "meaning of its own"),
            ("iifname \"§\"", &[string("abcdefghijklmnop")], "15 bytes"),
            ("log prefix \"§\"", &[string("$x")], "meaning of its own"),
            ("include \"§\"", &[string("/etc/x")], "look up"),
            ("ip saddr \"§\"", &[string("localhost")], "look up"),
            ("comment \"§\n\"", &[string("x")], "no end"),
            ("{ tcp dport §", &[Value::Int(1)], "`{` has no end"),
            ("tcp dport § }", &[Value::Int(1)], "nothing is open"),
            ("# §", &[string("x\ny")], "line break"),
            ("# x\r§", &[Value::Int(1)], "carriage return"),
        ],
    );
}
