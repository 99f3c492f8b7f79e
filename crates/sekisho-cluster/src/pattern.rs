//! [`overlap`]: whether two index patterns can match the same name.

/// Whether some name matches both patterns; `*` stands for any text.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    let other: Vec<char> = other.chars().collect();
    // For each start of `other`, whether it and what was taken of `one` match some text in common.
    let mut reached = vec![true];
    for right in &other {
        let before = reached.last() == Some(&true);
        reached.push(*right == '*' && before);
    }
    for left in one.chars() {
        let mut next = vec![left == '*' && reached.first() == Some(&true)];
        for (right, above) in other.iter().zip(reached.windows(2)) {
            let (diagonal, above) = (above.first() == Some(&true), above.last() == Some(&true));
            let before = next.last() == Some(&true);
            next.push(match (left, *right) {
                ('*', _) | (_, '*') => above || before,
                (left, right) => left == right && diagonal,
            });
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, expected: bool) {
        assert_eq!(overlap(one, other), expected, "{one} {other}");
        assert_eq!(overlap(other, one), expected, "{other} {one}");
    }

    #[test]
    fn patterns_overlap_where_one_name_fits_both() {
        check("log-*", "log-aws-waf-*", true);
        check("log-*", "*", true);
        check("log-*", "*-waf-*", true);
        check("log-*", "logs-*", false);
        check("log-aws-waf-*", "log-aws-vpcflowlogs-*", false);
        check("log-*", "log-x", true);
        check("log-*", "lo", false);
        check("*2026*", "log-*", true);
        check("team-log-*", "log-*", false);
        check("", "*", true);
        check("", "", true);
        check("a*b*c", "*bb*", true);
        check("a*b", "a*c", false);
    }
}
