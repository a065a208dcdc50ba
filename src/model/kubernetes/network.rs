//! Which pods a `NetworkPolicy` is about, and what it lets through.

use super::{KubernetesModel, Object, Workload};
use crate::syntax::yaml::{Entry, Node};

/// A `NetworkPolicy`.
#[derive(Clone, Copy, Debug)]
pub struct NetworkPolicy<'y> {
    /// The object.
    pub object: Object<'y>,
    /// Its `spec`.
    pub spec: Node<'y>,
}

/// One direction of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What reaches a pod.
    Ingress,
    /// What a pod reaches.
    Egress,
}

impl Direction {
    /// The key of its rules, and the key of the peers in each.
    fn keys(self) -> (&'static str, &'static str) {
        match self {
            Direction::Ingress => ("ingress", "from"),
            Direction::Egress => ("egress", "to"),
        }
    }
}

/// So many pairs of policies and workloads are compared; a real file has a few dozen.
const MOST_PAIRS: usize = 100_000;

impl<'y> KubernetesModel<'y> {
    /// Whether it can be asked which policy chooses which workload: there are some, all of them are seen, and they are
    /// not so many that nobody wrote them.
    pub fn matches_policies(&self) -> bool {
        let workloads = self.workloads().count();
        let peers: usize = self.network_policies().map(|policy| 1 + policy.peer_selectors().count()).sum();
        workloads > 0 && workloads.saturating_mul(peers) <= MOST_PAIRS && !self.tree.is_rendered_elsewhere()
    }

    /// Policies of the network.
    pub fn network_policies(&self) -> impl Iterator<Item = NetworkPolicy<'y>> {
        self.objects.iter().filter(|object| object.kind == "NetworkPolicy").filter_map(|&object| {
            let spec = object.node.get("spec").filter(|spec| spec.is_mapping())?;
            Some(NetworkPolicy { object, spec })
        })
    }
}

impl<'y> NetworkPolicy<'y> {
    /// What says which pods it is about.
    pub fn selector(self) -> Option<Node<'y>> {
        self.spec.get("podSelector").filter(|selector| !selector.is_null())
    }

    /// Whether it may be about the pods of `workload`; labels that nobody can read may be any.
    pub fn may_select(self, workload: Workload<'y>) -> bool {
        let namespaces = [self.object, workload.object].map(|object| object.at(&["metadata", "namespace"]));
        let is_elsewhere = match namespaces {
            [Some(own), Some(other)] => !own.is_template() && !other.is_template() && own.scalar() != other.scalar(),
            _ => false,
        };
        let labels = workload.metadata.and_then(|metadata| metadata.get("labels"));
        !is_elsewhere && self.selector().is_none_or(|selector| may_match(selector, labels))
    }

    /// Rules that let everybody through: without peers, or with one that stands for all.
    pub fn open_rules(self, direction: Direction) -> impl Iterator<Item = Node<'y>> {
        let (rules, peers) = direction.keys();
        let rules = self.spec.get(rules).into_iter().flat_map(Node::items);
        rules.filter(move |rule| {
            let is_seen = rule.is_mapping() && !rule.is_open();
            is_seen && rule.get(peers).is_none_or(|peers| peers.is_null() || peers.items().any(is_everybody))
        })
    }

    /// Whether a rule of it names pods or namespaces that it lets through.
    pub fn names_peers(self) -> bool {
        let has_selector = |peer: Node<'y>| peer.get("podSelector").or(peer.get("namespaceSelector")).is_some();
        self.peers().any(has_selector)
    }

    /// Selectors of the pods that its rules let through.
    pub fn peer_selectors(self) -> impl Iterator<Item = (Node<'y>, Entry<'y>)> {
        self.peers().filter_map(|peer| Some((peer, peer.entry("podSelector")?)))
    }

    /// Those whom its rules let through.
    fn peers(self) -> impl Iterator<Item = Node<'y>> {
        [Direction::Ingress, Direction::Egress].into_iter().flat_map(move |direction| {
            let (rules, peers) = direction.keys();
            let rules = self.spec.get(rules).into_iter().flat_map(Node::items);
            rules.filter_map(move |rule| rule.get(peers)).flat_map(Node::items)
        })
    }
}

fn is_everybody(peer: Node<'_>) -> bool {
    let cidr = peer.get("ipBlock").filter(|block| block.get("except").is_none()).and_then(|block| block.get("cidr"));
    matches!(cidr.and_then(Node::scalar), Some("0.0.0.0/0" | "::/0"))
}

/// Whether `selector` may choose what has `labels`; one that says nothing chooses everything.
pub fn may_match<'y>(selector: Node<'y>, labels: Option<Node<'y>>) -> bool {
    if selector.is_open() || labels.is_some_and(Node::is_open) {
        return true;
    }
    let label = |key: &str| labels.and_then(|labels| labels.get(key));
    let has = |entry: Entry<'y>| {
        let Some(key) = entry.key.scalar().filter(|_| !entry.key.is_template()) else { return true };
        label(key).is_some_and(|value| {
            entry.value.is_template() || value.is_template() || value.scalar() == entry.value.scalar()
        })
    };
    let mut wanted = selector.get("matchLabels").into_iter().flat_map(Node::entries);
    let mut expressions = selector.get("matchExpressions").into_iter().flat_map(Node::items);
    wanted.all(has) && expressions.all(|expression| may_hold(expression, &label))
}

fn may_hold<'y>(expression: Node<'y>, label: &dyn Fn(&str) -> Option<Node<'y>>) -> bool {
    let text = |key| expression.get(key).filter(|node| !node.is_template()).and_then(Node::scalar);
    let (Some(key), Some(operator)) = (text("key"), text("operator")) else { return true };
    let value = label(key);
    let is_listed = |value: Node<'y>| {
        let mut values = expression.get("values").into_iter().flat_map(Node::items);
        value.is_template() || values.any(|one| one.is_template() || one.scalar() == value.scalar())
    };
    match operator {
        "In" => value.is_some_and(is_listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        // What is not in the list, and whatever a later version may bring.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    fn may(selector: &str, labels: &str) -> bool {
        let text = format!("selector: {selector}\nlabels: {labels}\n");
        let parsed = parse(text.as_bytes());
        let document = parsed.tree.documents().next().expect("there is one");
        may_match(document.get("selector").expect("it is written"), document.get("labels"))
    }

    #[test]
    fn a_selector_chooses_by_labels_and_expressions() {
        assert!(may("{}", "{a: b}"));
        assert!(may("{matchLabels: {a: b}}", "{a: b, c: d}"));
        assert!(!may("{matchLabels: {a: b}}", "{a: c}"));
        assert!(may("{matchExpressions: [{key: a, operator: In, values: [b, c]}]}", "{a: c}"));
        assert!(!may("{matchExpressions: [{key: a, operator: Exists}]}", "{b: c}"));
        assert!(may("{matchLabels: {a: '{{ .Values.a }}'}}", "{a: c}"));
    }
}
