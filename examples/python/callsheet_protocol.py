"""Types of Callsheet's protocol: params and results of every method, params of every notification.

Written by `npm run generate` from the schemas that the daemon checks calls with; do not edit. Python 3.10 or later, nothing else is needed.
Clients ignore members that they do not know: dictionaries from the daemon may hold more than is written here.
"""

# ruff: noqa: UP006, UP007, UP013, UP035
from typing import Any, Dict, List, Literal, Protocol, Tuple, TypedDict, Union, overload


PROTOCOL_VERSION = 1


Scope = Literal[
    "read",
    "run",
    "admin",
]


RunStatus = Literal[
    "queued",
    "running",
    "waiting",
    "cancelling",
    "succeeded",
    "failed",
    "cancelled",
    "lost",
]


StepStatus = Literal[
    "pending",
    "preparing",
    "waiting",
    "submitting",
    "queued",
    "running",
    "parsing",
    "freeing",
    "backing-off",
    "unknown",
    "unresponsive",
    "removed",
    "cancelling",
    "done",
    "cached",
    "skipped",
    "blocked",
    "failed",
    "cancelled",
    "lost",
]


ChoiceStatus = Literal[
    "pending",
    "waiting",
    "made",
    "skipped",
    "blocked",
    "failed",
    "cancelled",
]


ArtifactKind = Literal[
    "image",
    "animation",
    "video",
    "audio",
    "model3d",
    "text",
    "latent",
    "file",
]


AssetKind = Literal[
    "image",
    "image_sequence",
    "movie",
    "sound",
    "mesh",
    "hdri",
    "material",
    "text",
]


ErrorCode = Literal[
    "PARSE_ERROR",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "INVALID_PARAMS",
    "INTERNAL",
    "NOT_INITIALIZED",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "TOO_MANY_REQUESTS",
    "REQUEST_CANCELLED",
    "STORAGE_FAILED",
    "STORAGE_BUSY",
    "STORAGE_LOCKED",
    "STORAGE_NEWER",
    "STORAGE_CORRUPT",
    "EVENT_GAP",
    "TEMPLATE_NOT_FOUND",
    "TEMPLATE_NOT_RUNNABLE",
    "TEMPLATE_NOT_APPROVED",
    "TEMPLATE_CHANGED",
    "TEMPLATE_EXISTS",
    "IMPORT_REFUSED",
    "EXPORT_REFUSED",
    "PARAMETERS_INVALID",
    "PATH_NOT_ALLOWED",
    "ASSET_NOT_FOUND",
    "ARTIFACT_NOT_FOUND",
    "RUN_NOT_FOUND",
    "CHOICE_NOT_WAITING",
    "CHOICE_INVALID",
    "CHOICE_IMPOSSIBLE",
    "CHOICE_TIMED_OUT",
    "RUN_NOT_RETRYABLE",
    "RUN_SET_ASIDE",
    "RUN_REBUILT",
    "STEP_NOT_FOUND",
    "REQUEST_KEY_CONFLICT",
    "SNAPSHOT_REFUSED",
    "BACKEND_NOT_FOUND",
    "CONSENT_NEEDED",
    "BACKEND_UNREACHABLE",
    "BACKEND_NOT_COMFYUI",
    "BACKEND_HTTP",
    "BACKEND_WORKER_DEAD",
    "BACKEND_TOO_OLD",
    "BACKEND_ANSWERS",
    "ATTEMPT_ASSUMED_LOST",
    "BACKEND_RESTARTED",
    "PROMPT_REJECTED",
    "PROMPT_REMOVED",
    "PROMPT_INTERRUPTED",
    "NODE_FAILED",
    "OUT_OF_MEMORY",
    "STEP_STALLED",
    "CONVERSION_FAILED",
    "OUTPUT_MISSING",
    "OUTPUT_INVALID",
    "UPLOAD_FAILED",
    "STEP_INPUT_MISSING",
    "PROTOCOL_UNSUPPORTED",
    "CONFIG_INVALID",
    "PORT_UNAVAILABLE",
    "RUNTIME_DIR_UNSAFE",
    "DAEMON_NOT_RUNNING",
    "DAEMON_UNTRUSTED",
    "CONNECTION_LOST",
    "FILE_NOT_FOUND",
    "FILE_TOO_LARGE",
    "FILE_TOO_COMPLEX",
    "MEDIA_INVALID",
    "OUT_NOT_WRITTEN",
    "CANCELLED",
]


MethodName = Literal[
    "initialize",
    "ping",
    "rpc.discover",
    "daemon/status",
    "daemon/shutdown",
    "session/open",
    "template/list",
    "template/get",
    "template/check",
    "template/adopt",
    "template/migrate",
    "template/render",
    "template/import",
    "template/export",
    "template/approve",
    "run/start",
    "run/get",
    "run/graph",
    "run/list",
    "run/cancel",
    "run/retry",
    "run/choose",
    "run/export",
    "run/pin",
    "run/clean",
    "artifact/list",
    "artifact/get",
    "backend/list",
    "backend/get",
    "backend/free",
    "backend/assume-lost",
    "backend/allow",
    "queue/pause",
    "queue/resume",
    "cache/clear",
    "event/subscribe",
    "event/unsubscribe",
    "event/list",
    "inspect/subscribe",
    "inspect/unsubscribe",
    "inspect/ticket",
]


#: Scope that each method needs.
SCOPES: Dict[str, Scope] = {
    "initialize": "read",
    "ping": "read",
    "rpc.discover": "read",
    "daemon/status": "read",
    "daemon/shutdown": "admin",
    "session/open": "admin",
    "template/list": "read",
    "template/get": "read",
    "template/check": "read",
    "template/adopt": "read",
    "template/migrate": "read",
    "template/render": "read",
    "template/import": "admin",
    "template/export": "run",
    "template/approve": "admin",
    "run/start": "run",
    "run/get": "read",
    "run/graph": "read",
    "run/list": "read",
    "run/cancel": "run",
    "run/retry": "run",
    "run/choose": "run",
    "run/export": "run",
    "run/pin": "run",
    "run/clean": "admin",
    "artifact/list": "read",
    "artifact/get": "read",
    "backend/list": "read",
    "backend/get": "read",
    "backend/free": "run",
    "backend/assume-lost": "admin",
    "backend/allow": "admin",
    "queue/pause": "run",
    "queue/resume": "run",
    "cache/clear": "run",
    "event/subscribe": "read",
    "event/unsubscribe": "read",
    "event/list": "read",
    "inspect/subscribe": "run",
    "inspect/unsubscribe": "run",
    "inspect/ticket": "run",
}


#: Methods that change something: they take a `requestKey`, with which they can be repeated safely.
MUTATIONS = frozenset(
    [
        "daemon/shutdown",
        "session/open",
        "template/import",
        "template/approve",
        "run/start",
        "run/cancel",
        "run/retry",
        "run/choose",
        "run/pin",
        "run/clean",
        "backend/free",
        "backend/assume-lost",
        "backend/allow",
        "queue/pause",
        "queue/resume",
        "cache/clear",
    ]
)


class _Problem(TypedDict):
    code: str
    severity: Literal["error", "warning", "info"]
    message: str


class Problem(_Problem, total=False):
    hint: str
    file: str
    line: int
    column: int
    pointer: str
    node: str
    input: str
    parameter: str
    step: str


class _ErrorData(TypedDict):
    code: ErrorCode
    message: str
    retryable: bool


class ErrorData(_ErrorData, total=False):
    hint: str
    problems: List[Problem]
    step: str
    node: str
    details: Dict[str, Any]


class AttemptFusedItem(TypedDict):
    step: str
    rounds: bool


class _Attempt(TypedDict):
    attemptId: str
    item: int
    attempt: int
    backend: str
    status: str


class Attempt(_Attempt, total=False):
    promptId: str
    profile: Literal["low"]
    fused: List[AttemptFusedItem]
    error: ErrorData


class _CacheUse(TypedDict):
    item: int
    attempt: int
    result: Literal["hit", "miss", "off"]
    reason: str


class CacheUse(_CacheUse, total=False):
    runId: str


class _Step(TypedDict):
    id: str
    status: StepStatus
    items: int
    itemsDone: int
    progress: float
    attempts: List[Attempt]


class Step(_Step, total=False):
    title: str
    reason: str
    cache: List[CacheUse]
    error: ErrorData


class AssetMapsItem(TypedDict):
    map: Literal["base_color", "metallic", "roughness", "alpha", "normal", "bump", "displacement", "ambient_occlusion", "emission", "specular"]
    artifactId: str
    path: str
    colorSpace: Literal["sRGB", "Non-Color", "Linear Rec.709"]


class _Asset(TypedDict):
    kind: AssetKind
    name: str


class Asset(_Asset, total=False):
    collection: str
    colorSpace: Literal["sRGB", "Non-Color", "Linear Rec.709"]
    frames: int
    fps: float
    firstFrame: int
    pattern: str
    format: Literal["glb", "gltf", "obj", "fbx", "stl", "ply", "usd", "usda", "usdc", "usdz"]
    map: Literal["base_color", "metallic", "roughness", "alpha", "normal", "bump", "displacement", "ambient_occlusion", "emission", "specular"]
    maps: List[AssetMapsItem]
    partOf: str


class Sequence(TypedDict):
    count: int
    first: int
    pattern: str
    bytes: int
    sha256: str


class MediaFacts(TypedDict, total=False):
    frames: int
    fps: float
    channels: int
    sampleRate: float
    depth: int
    alpha: bool
    codec: str
    audioCodec: str


class ArtifactCachedFrom(TypedDict):
    runId: str
    artifactId: str


class ArtifactSource(TypedDict):
    sha256: str
    bytes: int
    mediaType: str


class ArtifactConversionFromItem(TypedDict):
    artifactId: str
    sha256: str


ArtifactConversion = TypedDict(
    "ArtifactConversion",
    {
        "to": str,
        "from": List[ArtifactConversionFromItem],
        "options": Dict[str, Any],
    },
)


class _Artifact(TypedDict):
    artifactId: str
    runId: str
    step: str
    item: int
    output: str
    node: str
    index: int
    path: str
    mediaType: str
    bytes: int
    sha256: str
    kind: ArtifactKind
    createdAt: int
    draft: bool


class Artifact(_Artifact, total=False):
    width: int
    height: int
    duration: float
    facts: MediaFacts
    sameAs: str
    partial: bool
    profile: Literal["low"]
    cachedFrom: ArtifactCachedFrom
    outputs: List[str]
    promptId: str
    source: ArtifactSource
    conversion: ArtifactConversion
    sequence: Sequence
    asset: Asset


class _ProvenanceBackend(TypedDict):
    id: str
    kind: Literal["comfyui", "wan2gp", "sandbox"]


class ProvenanceBackend(_ProvenanceBackend, total=False):
    #: Without credentials. Absent in texts inside files.
    address: str
    version: str
    #: sha256 of the object info of the server: other node packs give another.
    objectInfo: str


class ProvenanceSeedsItem(TypedDict):
    node: str
    input: str
    value: str


class _ProvenanceInputsItem(TypedDict):
    name: str
    sha256: str
    bytes: int
    mediaType: str


class ProvenanceInputsItem(_ProvenanceInputsItem, total=False):
    #: Where it is a file of the same run.
    artifactId: str


class _ProvenanceModelsItem(TypedDict):
    node: str
    input: str
    name: str


class ProvenanceModelsItem(_ProvenanceModelsItem, total=False):
    folder: str
    sha256: str
    bytes: float


class ProvenanceTimesNodesItem(TypedDict):
    node: str
    className: str
    seconds: float


class ProvenanceTimes(TypedDict, total=False):
    queued: float
    loading: float
    working: float
    nodes: List[ProvenanceTimesNodesItem]


class _Provenance(TypedDict):
    artifactId: str
    runId: str
    template: str
    version: str
    templateHash: str
    step: str
    item: int
    output: str
    node: str
    index: int
    draft: bool
    seeds: List[ProvenanceSeedsItem]
    #: As the run was started, defaults and drawn seeds included; of files their name, hash and size.
    parameters: Dict[str, Any]
    inputs: List[ProvenanceInputsItem]
    models: List[ProvenanceModelsItem]


class Provenance(_Provenance, total=False):
    attempt: int
    promptId: str
    profile: Literal["low"]
    #: Whose bytes were taken instead of making them again; the attempt is that of those.
    cachedFrom: ArtifactCachedFrom
    #: Version of Callsheet.
    callsheet: str
    backend: ProvenanceBackend
    preparedAt: int
    endedAt: int
    #: sha256 of the graph that was sent, as it is kept: .callsheet/graph-<sha256>.json.
    graph: str
    #: The same of the workflow in UI format that was sent along with it.
    workflow: str
    #: Members of the graph whose values were taken out: keys, tokens, passwords.
    redacted: List[str]
    #: Seconds.
    times: ProvenanceTimes
    #: The file as the backend gave it, where the one that is kept is another.
    source: ArtifactSource
    conversion: ArtifactConversion
    #: Of the data directory whose run it is.
    store: str


class _Candidate(TypedDict):
    index: int
    id: str


class Candidate(_Candidate, total=False):
    artifactId: str
    path: str
    mediaType: str
    width: int
    height: int
    text: str


class _ChoicePick(TypedDict):
    min: int


class ChoicePick(_ChoicePick, total=False):
    max: int


class _Choice(TypedDict):
    into: str
    after: str
    status: ChoiceStatus
    pick: ChoicePick
    candidates: List[Candidate]


class Choice(_Choice, total=False):
    title: str
    reason: str
    deadline: int
    onTimeout: Literal["first", "fail", "wait"]
    picked: List[str]
    pickedBy: Literal["person", "timeout"]


class _RunOptions(TypedDict):
    optimize: bool
    cache: bool


class RunOptions(_RunOptions, total=False):
    embed: bool


class _SavingNodesItem(TypedDict):
    id: str
    classType: str


class SavingNodesItem(_SavingNodesItem, total=False):
    title: str
    into: str


_Saving = TypedDict(
    "_Saving",
    {
        "pass": Literal["dead-nodes", "equal-nodes", "no-ops", "constants", "shared-loaders", "previews", "existing-outputs", "fused-steps", "model-order", "result-cache"],
        "step": str,
        "nodes": List[SavingNodesItem],
        "why": str,
    },
)

_SavingFree = TypedDict(
    "_SavingFree",
    {
        "item": int,
        "seconds": float,
    },
    total=False,
)


class Saving(_Saving, _SavingFree):
    pass


class _Optimiser(TypedDict):
    enabled: bool
    savings: List[Saving]


class Optimiser(_Optimiser, total=False):
    seconds: float


class _RunSummary(TypedDict):
    runId: str
    template: str
    version: str
    status: RunStatus
    draft: bool
    progress: float
    createdAt: int


class RunSummary(_RunSummary, total=False):
    etaSeconds: float
    etaRange: Tuple[float, float]
    endedAt: int
    pinned: bool
    error: ErrorData


class _Run(TypedDict):
    runId: str
    template: str
    version: str
    status: RunStatus
    draft: bool
    progress: float
    createdAt: int
    parameters: Dict[str, Any]
    options: RunOptions
    steps: List[Step]
    artifacts: List[Artifact]
    problems: List[Problem]


class Run(_Run, total=False):
    etaSeconds: float
    etaRange: Tuple[float, float]
    endedAt: int
    pinned: bool
    error: ErrorData
    tries: int
    choices: List[Choice]
    optimiser: Optimiser


class _Backend(TypedDict):
    id: str
    kind: Literal["comfyui", "wan2gp", "sandbox"]
    status: Literal["unknown", "ready", "unresponsive", "unreachable", "not-comfyui", "worker-dead"]
    draft: bool


class Backend(_Backend, total=False):
    url: str
    version: str
    queueRemaining: int
    inFlight: int
    ahead: int
    gpu: str
    models: List[str]
    takesFiles: bool
    error: ErrorData


class QueueState(TypedDict):
    paused: bool
    waitingRuns: int
    waitingItems: int


class _TemplateSummary(TypedDict):
    id: str
    version: str
    title: str
    category: str
    steps: List[str]
    parameters: int
    runnable: bool
    problems: int


class TemplateSummary(_TemplateSummary, total=False):
    approval: Literal["pending", "approved"]


class _TemplateContentsModelsItem(TypedDict):
    name: str


class TemplateContentsModelsItem(_TemplateContentsModelsItem, total=False):
    folder: str
    sha256: str
    url: str


class TemplateContents(TypedDict):
    nodeClasses: List[str]
    newClasses: List[str]
    models: List[TemplateContentsModelsItem]
    files: List[str]
    addresses: List[str]
    backends: List[str]


class InitializeParamsClient(TypedDict):
    name: str
    version: str


class InitializeParamsProtocol(TypedDict):
    min: int
    max: int


class InitializeParamsAuth(TypedDict):
    scope: Scope
    nonce: str
    proof: str


class _InitializeParams(TypedDict):
    client: InitializeParamsClient


class InitializeParams(_InitializeParams, total=False):
    protocol: InitializeParamsProtocol
    capabilities: Dict[str, Any]
    auth: InitializeParamsAuth


class InitializeResultServer(TypedDict):
    name: str
    version: str


class _InitializeResult(TypedDict):
    server: InitializeResultServer
    protocol: int
    instance: str
    epoch: str
    scope: Scope
    capabilities: Dict[str, Any]


class InitializeResult(_InitializeResult, total=False):
    proof: str


class PingParams(TypedDict):
    pass


class PingResult(TypedDict):
    ok: bool


class RpcDiscoverParams(TypedDict):
    pass


RpcDiscoverResult = Dict[str, Any]


class DaemonStatusParams(TypedDict):
    pass


class DaemonStatusResultRuns(TypedDict):
    open: int
    queued: int
    active: int
    held: int
    recovering: int


class _DaemonStatusResultStorage(TypedDict):
    status: Literal["ready", "busy", "failed"]


class DaemonStatusResultStorage(_DaemonStatusResultStorage, total=False):
    seconds: float
    message: str
    hint: str


class _DaemonStatusResultCache(TypedDict):
    entries: int
    bytes: int
    limit: int
    hits: int
    misses: int


class DaemonStatusResultCache(_DaemonStatusResultCache, total=False):
    #: Why nothing is kept now: its place cannot be used. Runs go on. Absent while all is well.
    trouble: str


class DaemonStatusResultTemplates(TypedDict):
    known: int
    runnable: int
    compiled: int
    compiledBytes: int
    compiledLimit: int
    sources: int
    sourceBytes: int


class DaemonStatusResultRecoveryRunsItem(TypedDict):
    runId: str
    template: str
    status: RunStatus
    files: List[str]
    missing: List[str]
    damaged: List[str]


class DaemonStatusResultRecoveryLeftOutItem(TypedDict):
    runId: str
    files: List[str]
    why: str


class _DaemonStatusResultRecovery(TypedDict):
    reason: str
    open: int
    rebuilt: int
    runs: List[DaemonStatusResultRecoveryRunsItem]
    leftOut: List[DaemonStatusResultRecoveryLeftOutItem]


class DaemonStatusResultRecovery(_DaemonStatusResultRecovery, total=False):
    movedTo: str
    restoredFrom: str
    lostSince: int


class _DaemonStatusResult(TypedDict):
    version: str
    protocol: int
    pid: int
    instance: str
    epoch: str
    startedAt: int
    uptimeSeconds: int
    dataDir: str
    outputDir: str
    templateDirs: List[str]
    roots: List[str]
    runs: DaemonStatusResultRuns
    queue: QueueState
    storage: DaemonStatusResultStorage
    cache: DaemonStatusResultCache
    templates: DaemonStatusResultTemplates
    connections: int
    subscriptions: int
    refused: Dict[str, int]
    position: int


class DaemonStatusResult(_DaemonStatusResult, total=False):
    recovery: DaemonStatusResultRecovery


class DaemonShutdownParams(TypedDict, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class DaemonShutdownResult(TypedDict):
    stopping: bool


class SessionOpenParams(TypedDict, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class SessionOpenResult(TypedDict):
    url: str


class TemplateListParams(TypedDict):
    pass


class TemplateListResult(TypedDict):
    templates: List[TemplateSummary]


class _TemplateGetParams(TypedDict):
    #: Id of a template.
    id: str


class TemplateGetParams(_TemplateGetParams, total=False):
    #: Semantic version; the newest when absent.
    version: str
    backend: str
    parameters: Dict[str, Any]


class _TemplateGetResultTemplateStepsItem(TypedDict):
    id: str


class TemplateGetResultTemplateStepsItem(_TemplateGetResultTemplateStepsItem, total=False):
    title: str
    backend: str


class _TemplateGetResultTemplateChoicesItemPick(TypedDict):
    min: int


class TemplateGetResultTemplateChoicesItemPick(_TemplateGetResultTemplateChoicesItemPick, total=False):
    max: int


class _TemplateGetResultTemplateChoicesItem(TypedDict):
    into: str
    after: str
    pick: TemplateGetResultTemplateChoicesItemPick


class TemplateGetResultTemplateChoicesItem(_TemplateGetResultTemplateChoicesItem, total=False):
    title: str
    timeoutSeconds: float
    onTimeout: Literal["first", "fail", "wait"]


class _TemplateGetResultTemplate(TypedDict):
    id: str
    version: str
    title: str
    category: str
    hash: str
    path: str
    kind: str
    runnable: bool
    parameters: Dict[str, Dict[str, Any]]
    schema: Dict[str, Any]
    steps: List[TemplateGetResultTemplateStepsItem]
    problems: List[Problem]


class TemplateGetResultTemplate(_TemplateGetResultTemplate, total=False):
    description: str
    choices: List[TemplateGetResultTemplateChoicesItem]
    approval: Literal["pending", "approved"]
    contents: TemplateContents


class TemplateGetResult(TypedDict):
    template: TemplateGetResultTemplate


class TemplateCheckParams(TypedDict, total=False):
    #: Id of a template.
    id: str
    #: Semantic version; the newest when absent.
    version: str
    path: str
    backend: str
    #: Chosen by the client, unique on its connection: `$/progress` notifications carry it while the call is at work.
    progressToken: str


class TemplateCheckResultFilesItem(TypedDict):
    path: str
    ok: bool
    problems: List[Problem]


class TemplateCheckResult(TypedDict):
    files: List[TemplateCheckResultFilesItem]


class _TemplateAdoptParams(TypedDict):
    file: str
    name: str


class TemplateAdoptParams(_TemplateAdoptParams, total=False):
    backend: str
    suggest: bool


class _TemplateAdoptResult(TypedDict):
    workflow: str
    converted: bool
    problems: List[Problem]


class TemplateAdoptResult(_TemplateAdoptResult, total=False):
    manifest: str


class TemplateMigrateParams(TypedDict):
    path: str
    backend: str


class TemplateMigrateResultFilesItem(TypedDict):
    path: str
    hash: str
    content: str


class TemplateMigrateResult(TypedDict):
    path: str
    folder: str
    files: List[TemplateMigrateResultFilesItem]
    problems: List[Problem]


class _TemplateRenderParams(TypedDict):
    #: Id of a template.
    id: str


class TemplateRenderParams(_TemplateRenderParams, total=False):
    #: Semantic version; the newest when absent.
    version: str
    parameters: Dict[str, Any]
    backend: str


class _TemplateRenderResultStepsItem(TypedDict):
    id: str
    item: int
    backend: str


class TemplateRenderResultStepsItem(_TemplateRenderResultStepsItem, total=False):
    workflow: str
    reason: str
    replaced: List[str]
    patches: List[str]
    optimised: str
    savings: List[Saving]


class TemplateRenderResult(TypedDict):
    template: str
    version: str
    steps: List[TemplateRenderResultStepsItem]
    problems: List[Problem]


class _TemplateImportParams(TypedDict):
    #: `asset:ID` of an upload, or the absolute path of a file under an approved root.
    file: str


class TemplateImportParams(_TemplateImportParams, total=False):
    #: The file's own name, for title and id; else that of the upload or path.
    name: str
    #: Id of the template that is made; else the one it says, or one made of the name.
    id: str
    #: Whose node classes convert a workflow in UI format; else the first that answers.
    backend: str
    #: A saved object info in its place, given as `file` is.
    objectInfo: str
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class TemplateImportResultTemplate(TypedDict):
    id: str
    version: str
    title: str
    hash: str
    path: str
    approval: Literal["pending", "approved", "own"]
    contents: TemplateContents


TemplateImportResult = TypedDict(
    "TemplateImportResult",
    {
        "template": TemplateImportResultTemplate,
        "existing": bool,
        "from": Literal["bundle", "api", "ui", "wan2gp"],
        "problems": List[Problem],
    },
)


class _TemplateExportParams(TypedDict):
    #: Id of a template.
    id: str


class TemplateExportParams(_TemplateExportParams, total=False):
    #: Semantic version; the newest when absent.
    version: str


class TemplateExportResultTemplate(TypedDict):
    id: str
    version: str
    hash: str


class TemplateExportResult(TypedDict):
    assetId: str
    name: str
    bytes: int
    template: TemplateExportResultTemplate
    problems: List[Problem]


class _TemplateApproveParams(TypedDict):
    #: Id of a template.
    id: str
    version: str
    hash: str


class TemplateApproveParams(_TemplateApproveParams, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class TemplateApproveResult(TypedDict):
    id: str
    version: str
    hash: str
    approval: Literal["approved", "own"]


class _RunStartParams(TypedDict):
    #: Id of a template.
    template: str


class RunStartParams(_RunStartParams, total=False):
    #: Semantic version; the newest when absent.
    version: str
    parameters: Dict[str, Any]
    backend: str
    #: Higher goes first; 0 when absent. Nothing waits for ever.
    priority: int
    #: False: graphs are sent as they are. True when absent.
    optimize: bool
    #: False: nothing is taken from results of earlier runs. True when absent.
    cache: bool
    #: True: graph and provenance are put into every file whose kind takes them. False when absent.
    embed: bool
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class RunStartResult(TypedDict):
    runId: str


class RunGetParams(TypedDict):
    #: Id of a run.
    runId: str


class RunGetResult(TypedDict):
    run: Run


class _RunGraphParams(TypedDict):
    #: Id of a run.
    runId: str
    step: str


class RunGraphParams(_RunGraphParams, total=False):
    #: 0 when absent.
    item: int


class RunGraphResultNodesItemInputsItemFrom(TypedDict):
    node: str
    slot: int


_RunGraphResultNodesItemInputsItem = TypedDict(
    "_RunGraphResultNodesItemInputsItem",
    {
        "name": str,
    },
)

_RunGraphResultNodesItemInputsItemFree = TypedDict(
    "_RunGraphResultNodesItemInputsItemFree",
    {
        "from": RunGraphResultNodesItemInputsItemFrom,
        "value": str,
    },
    total=False,
)


class RunGraphResultNodesItemInputsItem(_RunGraphResultNodesItemInputsItem, _RunGraphResultNodesItemInputsItemFree):
    pass


class _RunGraphResultNodesItem(TypedDict):
    id: str
    classType: str
    state: Literal["waiting", "running", "done", "cached", "kept", "failed", "left-out", "unknown"]
    inputs: List[RunGraphResultNodesItemInputsItem]


class RunGraphResultNodesItem(_RunGraphResultNodesItem, total=False):
    title: str
    seconds: float
    #: Of a node that was left out.
    why: str
    #: The node that gives its result in its place.
    into: str
    #: Of a node of another step that shares the prompt.
    step: str


class _RunGraphResult(TypedDict):
    step: str
    item: int
    #: `template`: nothing was sent yet, or nothing is kept of it; placeholders stand as written.
    source: Literal["sent", "template"]
    #: `wan2gp`: settings, which are no graph; there are no nodes then.
    format: Literal["api", "wan2gp"]
    #: JSON text, exact: it may hold 64-bit integers.
    text: str
    nodes: List[RunGraphResultNodesItem]


class RunGraphResult(_RunGraphResult, total=False):
    attempt: int
    backend: str


class RunListParams(TypedDict, total=False):
    status: List[RunStatus]
    #: Id of a template.
    template: str
    limit: int
    #: Id of a run.
    before: str


class RunListResult(TypedDict):
    runs: List[RunSummary]


class _RunCancelParams(TypedDict):
    #: Id of a run.
    runId: str


class RunCancelParams(_RunCancelParams, total=False):
    force: bool
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class RunCancelResult(TypedDict):
    status: RunStatus


_RunRetryParams = TypedDict(
    "_RunRetryParams",
    {
        "runId": str,
    },
)

_RunRetryParamsFree = TypedDict(
    "_RunRetryParamsFree",
    {
        "from": str,
        "backend": str,
        "requestKey": str,
    },
    total=False,
)


class RunRetryParams(_RunRetryParams, _RunRetryParamsFree):
    pass


class RunRetryResult(TypedDict):
    runId: str
    status: RunStatus
    again: List[str]


class _RunChooseParams(TypedDict):
    #: Id of a run.
    runId: str


class RunChooseParams(_RunChooseParams, total=False):
    into: str
    values: List[str]
    indices: List[int]
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class RunChooseResult(TypedDict):
    into: str
    picked: List[str]
    status: RunStatus


_RunExportParams = TypedDict(
    "_RunExportParams",
    {
        "runId": str,
        "as": Literal["template", "bundle"],
    },
)

_RunExportParamsFree = TypedDict(
    "_RunExportParamsFree",
    {
        "id": str,
    },
    total=False,
)


class RunExportParams(_RunExportParams, _RunExportParamsFree):
    pass


class _RunPinParams(TypedDict):
    #: Id of a run.
    runId: str


class RunPinParams(_RunPinParams, total=False):
    #: False takes the pin off; true when absent.
    pinned: bool
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class RunPinResult(TypedDict):
    runId: str
    pinned: bool


class RunCleanParams(TypedDict, total=False):
    #: Milliseconds.
    olderThan: int
    #: So many of the newest that have ended always stay.
    keep: int
    #: Of the files of all runs together.
    maxBytes: int
    #: Id of a template.
    template: str
    dryRun: bool
    #: Chosen by the client, unique on its connection: `$/progress` notifications carry it while the call is at work.
    progressToken: str
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class RunCleanResultRunsItemFilesItem(TypedDict):
    path: str
    bytes: int


class RunCleanResultRunsItemLeftItem(TypedDict):
    path: str
    why: str


class RunCleanResultRunsItem(TypedDict):
    runId: str
    template: str
    status: RunStatus
    endedAt: int
    bytes: int
    files: List[RunCleanResultRunsItemFilesItem]
    #: Files that stay, and why.
    left: List[RunCleanResultRunsItemLeftItem]


class RunCleanResultKeptItem(TypedDict):
    runId: str
    why: str


class RunCleanResult(TypedDict):
    dryRun: bool
    runs: List[RunCleanResultRunsItem]
    bytes: int
    #: Runs that would go and stay, and why.
    kept: List[RunCleanResultKeptItem]
    #: There are more: ask again.
    more: bool


class ArtifactListParams(TypedDict, total=False):
    #: Id of a run.
    runId: str
    #: Id of a template.
    template: str
    #: Id of a step.
    step: str
    #: Name of an output of the step, or of the template.
    output: str
    kind: ArtifactKind
    #: `image/png`, or `image/*`.
    mediaType: str
    #: What it becomes in Blender.
    asset: AssetKind
    #: Brought home then or later, in milliseconds since 1970.
    since: int
    #: Brought home before.
    until: int
    draft: bool
    limit: int
    #: `next` of the page before, or an artifactId.
    before: str


class _ArtifactListResult(TypedDict):
    artifacts: List[Artifact]


class ArtifactListResult(_ArtifactListResult, total=False):
    next: str


class _ArtifactGetParams(TypedDict):
    #: Id of an artifact.
    artifactId: str


class ArtifactGetParams(_ArtifactGetParams, total=False):
    #: True: the graph that was sent, and the workflow in UI format where there is one.
    graph: bool
    #: True: what the file itself carries, read from it now.
    embedded: bool


class ArtifactGetResultGraph(TypedDict):
    sha256: str
    text: str


class _ArtifactGetResultEmbeddedWorkflowsItem(TypedDict):
    #: ComfyUI graph in API form, workflow in UI form, or settings of Wan2GP.
    format: Literal["api", "ui", "wan2gp"]
    key: str
    bytes: int


class ArtifactGetResultEmbeddedWorkflowsItem(_ArtifactGetResultEmbeddedWorkflowsItem, total=False):
    #: As it stands in the file; left out when it is longer than an answer takes.
    text: str


class _ArtifactGetResultEmbeddedTextsItem(TypedDict):
    key: str
    bytes: int


class ArtifactGetResultEmbeddedTextsItem(_ArtifactGetResultEmbeddedTextsItem, total=False):
    text: str


class _ArtifactGetResultEmbedded(TypedDict):
    #: False: files of this kind are not looked into, or this one could not be; `error` says why.
    readable: bool
    workflows: List[ArtifactGetResultEmbeddedWorkflowsItem]
    texts: List[ArtifactGetResultEmbeddedTextsItem]
    #: Names of texts that are damaged, cut short or too long.
    leftOut: List[str]
    #: It says of itself that the sandbox drew it.
    draft: bool


class ArtifactGetResultEmbedded(_ArtifactGetResultEmbedded, total=False):
    error: ErrorData


class _ArtifactGetResult(TypedDict):
    artifact: Artifact
    provenance: Provenance


class ArtifactGetResult(_ArtifactGetResult, total=False):
    graph: ArtifactGetResultGraph
    workflow: ArtifactGetResultGraph
    embedded: ArtifactGetResultEmbedded


class BackendListParams(TypedDict):
    pass


class BackendListResult(TypedDict):
    backends: List[Backend]


class BackendGetParams(TypedDict):
    id: str


class BackendGetResultAttemptsItem(TypedDict):
    runId: str
    promptId: str


class _BackendGetResult(TypedDict):
    backend: Backend
    attempts: List[BackendGetResultAttemptsItem]


class BackendGetResult(_BackendGetResult, total=False):
    nodeClasses: int
    vram: int


class _BackendFreeParams(TypedDict):
    id: str


class BackendFreeParams(_BackendFreeParams, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class BackendFreeResult(TypedDict):
    asked: bool


class _BackendAssumeLostParams(TypedDict):
    id: str


class BackendAssumeLostParams(_BackendAssumeLostParams, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class BackendAssumeLostResult(TypedDict):
    attempts: int


class _BackendAllowParams(TypedDict):
    id: str
    allowed: bool


class BackendAllowParams(_BackendAllowParams, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class BackendAllowResult(TypedDict):
    id: str
    url: str
    takesFiles: bool


class QueuePauseParams(TypedDict, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class QueuePauseResult(TypedDict):
    queue: QueueState


class QueueResumeParams(TypedDict, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class QueueResumeResult(TypedDict):
    queue: QueueState


class CacheClearParams(TypedDict, total=False):
    #: Chosen by the client, unique for each wish. The same key again gives the first answer.
    requestKey: str


class CacheClearResult(TypedDict):
    entries: int
    bytes: int


class EventSubscribeParamsSince(TypedDict):
    epoch: str
    seq: int


class EventSubscribeParams(TypedDict, total=False):
    #: Last event seen; absent means only what comes from now on.
    since: EventSubscribeParamsSince
    #: Id of a run.
    runId: str
    #: True sends `preview` notifications too.
    previews: bool
    #: True: where `since` is absent or can not be resumed, the answer has the state that the events go on from.
    snapshot: bool


class EventSubscribeResultSnapshot(TypedDict, total=False):
    #: With a `runId`: that run.
    run: Run
    #: Of the whole log: the newest runs.
    runs: List[RunSummary]
    #: True: there are older runs; `run/list` goes on before the last one.
    more: bool
    backends: List[Backend]
    queue: QueueState


class _EventSubscribeResult(TypedDict):
    subscription: str
    epoch: str
    seq: int


class EventSubscribeResult(_EventSubscribeResult, total=False):
    #: True: `since` could not be resumed; what was known before counts no more.
    gap: bool
    snapshot: EventSubscribeResultSnapshot


class EventUnsubscribeParams(TypedDict):
    subscription: str


class EventUnsubscribeResult(TypedDict):
    removed: bool


class _EventListParams(TypedDict):
    #: Id of a run.
    runId: str


class EventListParams(_EventListParams, total=False):
    #: Default 0: from the beginning.
    after: int
    #: Default 500.
    limit: int


class EventListResultEventsItemEventRunCreated(TypedDict):
    type: Literal["run.created"]
    template: str
    version: str


class _EventListResultEventsItemEventRunStatus(TypedDict):
    type: Literal["run.status"]
    status: RunStatus


class EventListResultEventsItemEventRunStatus(_EventListResultEventsItemEventRunStatus, total=False):
    error: ErrorData


_EventListResultEventsItemEventRunRetried = TypedDict(
    "_EventListResultEventsItemEventRunRetried",
    {
        "type": Literal["run.retried"],
        "nth": int,
        "again": List[str],
    },
)

_EventListResultEventsItemEventRunRetriedFree = TypedDict(
    "_EventListResultEventsItemEventRunRetriedFree",
    {
        "dropped": List[str],
        "picks": Dict[str, List[str]],
        "from": str,
        "backend": str,
    },
    total=False,
)


class EventListResultEventsItemEventRunRetried(_EventListResultEventsItemEventRunRetried, _EventListResultEventsItemEventRunRetriedFree):
    pass


class _EventListResultEventsItemEventStepPlanned(TypedDict):
    type: Literal["step.planned"]
    step: str
    items: int


class EventListResultEventsItemEventStepPlanned(_EventListResultEventsItemEventStepPlanned, total=False):
    kept: List[int]


class _EventListResultEventsItemEventStepStatus(TypedDict):
    type: Literal["step.status"]
    step: str
    item: int
    attempt: int
    status: StepStatus


class EventListResultEventsItemEventStepStatus(_EventListResultEventsItemEventStepStatus, total=False):
    profile: Literal["low"]
    backend: str
    promptId: str
    reason: str
    error: ErrorData


class EventListResultEventsItemEventArtifactCreated(TypedDict):
    type: Literal["artifact.created"]
    artifactId: str
    step: str
    item: int
    output: str
    path: str
    mediaType: str


class EventListResultEventsItemEventChoiceOfferedPick(TypedDict):
    min: int
    max: int


class _EventListResultEventsItemEventChoiceOffered(TypedDict):
    type: Literal["choice.offered"]
    into: str
    after: str
    pick: EventListResultEventsItemEventChoiceOfferedPick
    candidates: List[Candidate]


class EventListResultEventsItemEventChoiceOffered(_EventListResultEventsItemEventChoiceOffered, total=False):
    title: str
    deadline: int
    onTimeout: Literal["first", "fail", "wait"]


class EventListResultEventsItemEventChoiceMade(TypedDict):
    type: Literal["choice.made"]
    into: str
    picked: List[str]
    by: Literal["person", "timeout"]


class _EventListResultEventsItemEventChoiceStatus(TypedDict):
    type: Literal["choice.status"]
    into: str
    status: Literal["skipped", "blocked", "failed", "cancelled"]


class EventListResultEventsItemEventChoiceStatus(_EventListResultEventsItemEventChoiceStatus, total=False):
    reason: str
    error: ErrorData


class _EventListResultEventsItemEventStepCache(TypedDict):
    type: Literal["step.cache"]
    step: str
    item: int
    attempt: int
    result: Literal["hit", "miss", "off"]
    reason: str


class EventListResultEventsItemEventStepCache(_EventListResultEventsItemEventStepCache, total=False):
    runId: str


class EventListResultEventsItemEventStepNote(TypedDict):
    type: Literal["step.note"]
    step: str
    item: int
    attempt: int
    code: str
    message: str


class _EventListResultEventsItemEventRunNote(TypedDict):
    type: Literal["run.note"]
    code: str
    message: str


class EventListResultEventsItemEventRunNote(_EventListResultEventsItemEventRunNote, total=False):
    step: str
    severity: Literal["warning"]
    hint: str


EventListResultEventsItemEvent = Union[EventListResultEventsItemEventRunCreated, EventListResultEventsItemEventRunStatus, EventListResultEventsItemEventRunRetried, EventListResultEventsItemEventStepPlanned, EventListResultEventsItemEventStepStatus, EventListResultEventsItemEventArtifactCreated, EventListResultEventsItemEventChoiceOffered, EventListResultEventsItemEventChoiceMade, EventListResultEventsItemEventChoiceStatus, EventListResultEventsItemEventStepCache, EventListResultEventsItemEventStepNote, EventListResultEventsItemEventRunNote]


class EventListResultEventsItem(TypedDict):
    runId: str
    seq: int
    position: int
    epoch: str
    at: int
    event: EventListResultEventsItemEvent


class EventListResult(TypedDict):
    epoch: str
    events: List[EventListResultEventsItem]
    more: bool


class InspectSubscribeParams(TypedDict, total=False):
    #: Id of a run; absent: every run.
    runId: str


class InspectSubscribeResult(TypedDict):
    subscription: str


class InspectUnsubscribeParams(TypedDict):
    subscription: str


class InspectUnsubscribeResult(TypedDict):
    removed: bool


class InspectTicketParams(TypedDict, total=False):
    #: Id of a run; absent: every run.
    runId: str


class InspectTicketResult(TypedDict):
    path: str
    protocols: Tuple[str, str]
    #: Milliseconds since 1970.
    expiresAt: int


class ChallengeNotice(TypedDict):
    nonce: str


class EventNotice(TypedDict):
    subscription: str
    runId: str
    #: Number within the run's log, without a gap.
    seq: int
    #: Number within the whole log of this epoch.
    position: int
    epoch: str
    #: Milliseconds since 1970; for people, never for ordering.
    at: int
    event: EventListResultEventsItemEvent


class _ProgressNotice(TypedDict):
    runId: str
    progress: float


class ProgressNotice(_ProgressNotice, total=False):
    etaSeconds: float
    etaRange: Tuple[float, float]
    step: str
    item: int
    node: str


class PreviewNotice(TypedDict):
    runId: str
    step: str
    item: int
    mediaType: str
    data: str


class RunRemovedNotice(TypedDict):
    runIds: List[str]


class _TemplateChangedNotice(TypedDict):
    id: str
    version: str
    runnable: bool
    problems: List[Problem]


class TemplateChangedNotice(_TemplateChangedNotice, total=False):
    #: True when the last file that claimed this id and version is gone.
    removed: bool


class _InspectNoticeMessageXstateActor(TypedDict):
    type: Literal["@xstate.actor"]
    runId: str
    sessionId: str
    rootId: str
    id: Any
    #: Milliseconds since 1970, as text.
    createdAt: str
    _version: str
    name: str
    definition: str
    snapshot: Any


class InspectNoticeMessageXstateActor(_InspectNoticeMessageXstateActor, total=False):
    parentId: str
    closedAt: int


class _InspectNoticeMessageXstateEvent(TypedDict):
    type: Literal["@xstate.event"]
    runId: str
    sessionId: str
    rootId: str
    id: Any
    #: Milliseconds since 1970, as text.
    createdAt: str
    _version: str
    event: Any


class InspectNoticeMessageXstateEvent(_InspectNoticeMessageXstateEvent, total=False):
    sourceId: str


class InspectNoticeMessageXstateSnapshot(TypedDict):
    type: Literal["@xstate.snapshot"]
    runId: str
    sessionId: str
    rootId: str
    id: Any
    #: Milliseconds since 1970, as text.
    createdAt: str
    _version: str
    event: Any
    snapshot: Any


class InspectNoticeMessageXstateMicrostepTransitionsItem(TypedDict):
    eventType: str
    source: str
    targets: List[str]


class InspectNoticeMessageXstateMicrostep(TypedDict):
    type: Literal["@xstate.microstep"]
    runId: str
    sessionId: str
    rootId: str
    id: Any
    #: Milliseconds since 1970, as text.
    createdAt: str
    _version: str
    event: Any
    value: Any
    transitions: List[InspectNoticeMessageXstateMicrostepTransitionsItem]


class InspectNoticeMessageXstateAction(TypedDict):
    type: Literal["@xstate.action"]
    runId: str
    sessionId: str
    rootId: str
    id: Any
    #: Milliseconds since 1970, as text.
    createdAt: str
    _version: str
    action: Any


class InspectNoticeMessageCallsheetSkipped(TypedDict):
    type: Literal["callsheet.skipped"]
    count: int


InspectNoticeMessage = Union[InspectNoticeMessageXstateActor, InspectNoticeMessageXstateEvent, InspectNoticeMessageXstateSnapshot, InspectNoticeMessageXstateMicrostep, InspectNoticeMessageXstateAction, InspectNoticeMessageCallsheetSkipped]


class InspectNotice(TypedDict):
    subscription: str
    message: InspectNoticeMessage


class _CallProgressNoticeValue(TypedDict):
    done: int


class CallProgressNoticeValue(_CallProgressNoticeValue, total=False):
    #: Absent while it is not known.
    total: int
    message: str


class CallProgressNotice(TypedDict):
    token: str
    value: CallProgressNoticeValue


class CallCancelRequestNotice(TypedDict):
    #: The id of the call.
    id: Union[str, int]


#: Params of each notification.
NOTICES = {
    "challenge": ChallengeNotice,
    "event": EventNotice,
    "progress": ProgressNotice,
    "preview": PreviewNotice,
    "run/removed": RunRemovedNotice,
    "template/changed": TemplateChangedNotice,
    "backend/changed": Backend,
    "inspect": InspectNotice,
    "$/progress": CallProgressNotice,
    "$/cancelRequest": CallCancelRequestNotice,
}


class Call(Protocol):
    """A function that calls a method: annotate yours with it, and type checkers know the params and the result of each method."""

    @overload
    def __call__(self, method: Literal["initialize"], params: InitializeParams) -> InitializeResult: ...

    @overload
    def __call__(self, method: Literal["ping"], params: PingParams = ...) -> PingResult: ...

    @overload
    def __call__(self, method: Literal["rpc.discover"], params: RpcDiscoverParams = ...) -> RpcDiscoverResult: ...

    @overload
    def __call__(self, method: Literal["daemon/status"], params: DaemonStatusParams = ...) -> DaemonStatusResult: ...

    @overload
    def __call__(self, method: Literal["daemon/shutdown"], params: DaemonShutdownParams = ...) -> DaemonShutdownResult: ...

    @overload
    def __call__(self, method: Literal["session/open"], params: SessionOpenParams = ...) -> SessionOpenResult: ...

    @overload
    def __call__(self, method: Literal["template/list"], params: TemplateListParams = ...) -> TemplateListResult: ...

    @overload
    def __call__(self, method: Literal["template/get"], params: TemplateGetParams) -> TemplateGetResult: ...

    @overload
    def __call__(self, method: Literal["template/check"], params: TemplateCheckParams = ...) -> TemplateCheckResult: ...

    @overload
    def __call__(self, method: Literal["template/adopt"], params: TemplateAdoptParams) -> TemplateAdoptResult: ...

    @overload
    def __call__(self, method: Literal["template/migrate"], params: TemplateMigrateParams) -> TemplateMigrateResult: ...

    @overload
    def __call__(self, method: Literal["template/render"], params: TemplateRenderParams) -> TemplateRenderResult: ...

    @overload
    def __call__(self, method: Literal["template/import"], params: TemplateImportParams) -> TemplateImportResult: ...

    @overload
    def __call__(self, method: Literal["template/export"], params: TemplateExportParams) -> TemplateExportResult: ...

    @overload
    def __call__(self, method: Literal["template/approve"], params: TemplateApproveParams) -> TemplateApproveResult: ...

    @overload
    def __call__(self, method: Literal["run/start"], params: RunStartParams) -> RunStartResult: ...

    @overload
    def __call__(self, method: Literal["run/get"], params: RunGetParams) -> RunGetResult: ...

    @overload
    def __call__(self, method: Literal["run/graph"], params: RunGraphParams) -> RunGraphResult: ...

    @overload
    def __call__(self, method: Literal["run/list"], params: RunListParams = ...) -> RunListResult: ...

    @overload
    def __call__(self, method: Literal["run/cancel"], params: RunCancelParams) -> RunCancelResult: ...

    @overload
    def __call__(self, method: Literal["run/retry"], params: RunRetryParams) -> RunRetryResult: ...

    @overload
    def __call__(self, method: Literal["run/choose"], params: RunChooseParams) -> RunChooseResult: ...

    @overload
    def __call__(self, method: Literal["run/export"], params: RunExportParams) -> TemplateExportResult: ...

    @overload
    def __call__(self, method: Literal["run/pin"], params: RunPinParams) -> RunPinResult: ...

    @overload
    def __call__(self, method: Literal["run/clean"], params: RunCleanParams = ...) -> RunCleanResult: ...

    @overload
    def __call__(self, method: Literal["artifact/list"], params: ArtifactListParams = ...) -> ArtifactListResult: ...

    @overload
    def __call__(self, method: Literal["artifact/get"], params: ArtifactGetParams) -> ArtifactGetResult: ...

    @overload
    def __call__(self, method: Literal["backend/list"], params: BackendListParams = ...) -> BackendListResult: ...

    @overload
    def __call__(self, method: Literal["backend/get"], params: BackendGetParams) -> BackendGetResult: ...

    @overload
    def __call__(self, method: Literal["backend/free"], params: BackendFreeParams) -> BackendFreeResult: ...

    @overload
    def __call__(self, method: Literal["backend/assume-lost"], params: BackendAssumeLostParams) -> BackendAssumeLostResult: ...

    @overload
    def __call__(self, method: Literal["backend/allow"], params: BackendAllowParams) -> BackendAllowResult: ...

    @overload
    def __call__(self, method: Literal["queue/pause"], params: QueuePauseParams = ...) -> QueuePauseResult: ...

    @overload
    def __call__(self, method: Literal["queue/resume"], params: QueueResumeParams = ...) -> QueueResumeResult: ...

    @overload
    def __call__(self, method: Literal["cache/clear"], params: CacheClearParams = ...) -> CacheClearResult: ...

    @overload
    def __call__(self, method: Literal["event/subscribe"], params: EventSubscribeParams = ...) -> EventSubscribeResult: ...

    @overload
    def __call__(self, method: Literal["event/unsubscribe"], params: EventUnsubscribeParams) -> EventUnsubscribeResult: ...

    @overload
    def __call__(self, method: Literal["event/list"], params: EventListParams) -> EventListResult: ...

    @overload
    def __call__(self, method: Literal["inspect/subscribe"], params: InspectSubscribeParams = ...) -> InspectSubscribeResult: ...

    @overload
    def __call__(self, method: Literal["inspect/unsubscribe"], params: InspectUnsubscribeParams) -> InspectUnsubscribeResult: ...

    @overload
    def __call__(self, method: Literal["inspect/ticket"], params: InspectTicketParams = ...) -> InspectTicketResult: ...
