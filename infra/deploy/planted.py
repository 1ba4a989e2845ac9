"""Errors that `make deploy-check` must find: check, file, what is there, what it is made, what is said of it."""

BASE = "infra/deploy/kubernetes/base"
COMPONENTS = "infra/deploy/kubernetes/components"
OVERLAYS = "infra/deploy/kubernetes/overlays"

ERRORS = [
    # files and patches
    ("manifests", f"{BASE}/kustomization.yaml", "- api.yaml", "- apis.yaml", "apis.yaml"),
    (
        "manifests",
        f"{COMPONENTS}/versioned-workers/kustomization.yaml",
        "path: /spec/selector",
        "path: /spec/no",
        "/no",
    ),
    # kinds of Kubernetes: a type, an unknown field, a kind
    ("manifests", f"{BASE}/api.yaml", "replicas: 3", "replicas: three", "'three' is not of type 'integer'"),
    ("manifests", f"{BASE}/worker.yaml", "periodSeconds: 2", "periodSecond: 2", "'periodSecond' was unexpected"),
    ("manifests", f"{BASE}/api.yaml", "kind: PodDisruptionBudget", "kind: PodDisruption", "find schema for kind"),
    # custom resources: a word, a number, a pattern, what is lacking, an unknown field and kind
    (
        "manifests",
        f"{COMPONENTS}/versioned-workers/kustomization.yaml",
        "strategy: Progressive",
        "strategy: Gradual",
        "'Gradual' is not one of",
    ),
    (
        "manifests",
        f"{COMPONENTS}/versioned-workers/kustomization.yaml",
        "rampPercentage: 50",
        "rampPercentage: 100",
        "100 is greater than the maximum",
    ),
    (
        "manifests",
        f"{COMPONENTS}/versioned-workers/kustomization.yaml",
        "rampPercentage: 50",
        "rampPercentage: 5",
        "rampPercentage does not rise",
    ),
    ("manifests", f"{OVERLAYS}/cloud/connection.yaml", ".cloud:7233", ".cloud", "does not match"),
    ("manifests", f"{COMPONENTS}/versioned-workers/scaling.yaml", "- type: temporal", "- name: backlog", "'type' is a"),
    (
        "manifests",
        f"{COMPONENTS}/self-hosted/database.yaml",
        "instances: 3",
        "instance: 3",
        "'instance' was unexpected",
    ),
    ("manifests", f"{BASE}/route.yaml", "parentRefs:", "parents:", "'parents' was unexpected"),
    ("manifests", f"{BASE}/secrets.yaml", "secretStoreRef:", "store:", "'store' was unexpected"),
    ("manifests", f"{BASE}/monitors.yaml", "kind: PodMonitor", "kind: PodWatcher", "no schema of"),
    ("manifests", f"{BASE}/rules.yaml", "expr:", "expression:", "'expression' was unexpected"),
    # what a cluster would refuse, or should
    ("manifests", f"{BASE}/worker.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "not restricted"),
    ("manifests", f"{BASE}/trim.yaml", "drop: [ALL]", "drop: [NET_RAW]", "not restricted"),
    ("manifests", f"{BASE}/api.yaml", "drop: [ALL]", "drop: [NET_RAW]", "not restricted"),
    ("manifests", f"{BASE}/kustomization.yaml", 'newTag: "0.1.0"', "newTag: latest", "without a version"),
    # image: a base that moves, a shell's mistake, an instruction that is none
    ("dockerfile", "infra/deploy/Dockerfile", "FROM ${PYTHON_IMAGE} AS build", "FROM python:latest AS build", "DL3007"),
    ("dockerfile", "infra/deploy/Dockerfile", "WORKDIR /build", "WORKDIR build", "DL3000"),
    ("dockerfile", "infra/deploy/Dockerfile", "ENTRYPOINT [", "ENTRY [", "unexpected"),
    # compose: a field that is none, a secret that is none, a version that nobody gives
    (
        "compose",
        "infra/deploy/services.yaml",
        "restart: unless-stopped",
        "restarts: unless-stopped",
        "restarts false schema",
    ),
    (
        "compose",
        "infra/deploy/services.yaml",
        "secrets: [postgres_password,",
        "secrets: [postgres_word,",
        "postgres_word",
    ),
    ("compose", "infra/deploy/services.yaml", "${ORDERS_USER:?", "${ORDERS_OWNER:?", "ORDERS_OWNER"),
    # rules: no expression, and an alert that does not ring
    ("rules", "infra/deploy/rules.yml", "max(orders_relay_oldest_seconds) > 60", "max(orders_relay_ >", "parse error"),
    ("rules", "infra/deploy/rules.yml", "min(orders_engine_up) == 0", "min(orders_engine_up) == 2", "EngineAway"),
    # workflows: a field that is none, an expression, a machine, and an action by a tag that can be moved
    ("workflows", ".github/workflows/ci.yml", "timeout-minutes:", "time-out-minutes:", 'unexpected key "time-out'),
    ("workflows", ".github/workflows/ci.yml", "github.ref }}", "github.refs }}", 'property "refs" is not defined'),
    ("workflows", ".github/workflows/ci.yml", "ubuntu-24.04", "ubuntu-24.4", 'label "ubuntu-24.4" is unknown'),
    ("workflows", ".github/workflows/release.yml", "needs: check", "needs: checks", 'job "checks"'),
    (
        "workflows",
        ".github/workflows/ci.yml",
        "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "actions/checkout@v7",
        "is not named by its commit",
    ),
]
