/**
 * Which names of Python a model's pickle may mention. A list of what is needed to put tensors together, not of what is dangerous: a
 * pickle may call whatever it names, so what nobody has thought of is not let through. What is known to run code is said as such.
 */
const storages = [
  'Double',
  'Float',
  'Half',
  'Long',
  'Int',
  'Short',
  'Char',
  'Byte',
  'Bool',
  'BFloat16',
  'ComplexDouble',
  'ComplexFloat',
]
const quantised = ['QUInt8', 'QInt8', 'QInt32', 'QUInt4x2', 'QUInt2x4']
const kinds = [
  ...['float64', 'double', 'float32', 'float', 'float16', 'half', 'bfloat16', 'complex64', 'complex128', 'cfloat', 'cdouble'],
  ...['int64', 'long', 'int32', 'int', 'int16', 'short', 'int8', 'uint8', 'uint16', 'uint32', 'uint64', 'bool'],
  ...['float8_e4m3fn', 'float8_e5m2', 'quint8', 'qint8', 'qint32', 'per_tensor_affine', 'per_channel_affine', 'strided'],
]
const values = [
  'set',
  'frozenset',
  'list',
  'dict',
  'tuple',
  'int',
  'float',
  'bool',
  'str',
  'bytes',
  'bytearray',
  'complex',
  'slice',
  'range',
  'object',
]
const arrays = ['_reconstruct', 'scalar']

const allowed: Readonly<Record<string, readonly string[]>> = {
  torch: [
    ...[...storages, ...quantised].map((one) => `${one}Storage`),
    ...kinds,
    'Size',
    'device',
    'dtype',
    'Tensor',
    'BoolStorage',
  ],
  'torch._utils': [
    ...['_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_tensor_v3', '_rebuild_parameter', '_rebuild_parameter_with_state'],
    ...['_rebuild_sparse_tensor', '_rebuild_qtensor', '_rebuild_meta_tensor_no_storage', '_rebuild_nested_tensor'],
  ],
  'torch._tensor': ['_rebuild_from_type_v2'],
  'torch.nn.parameter': ['Parameter', 'Buffer', 'UninitializedParameter', 'UninitializedBuffer'],
  'torch.storage': ['UntypedStorage', 'TypedStorage'],
  'torch.serialization': ['_get_layout'],
  numpy: ['ndarray', 'dtype', 'float64', 'float32', 'float16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool_', 'str_'],
  'numpy.core.multiarray': arrays,
  'numpy._core.multiarray': arrays,
  'numpy.core.numeric': ['_frombuffer'],
  'numpy._core.numeric': ['_frombuffer'],
  collections: ['OrderedDict', 'defaultdict', 'Counter', 'deque'],
  builtins: values,
  __builtin__: [...values, 'unicode', 'long', 'xrange'],
  copyreg: ['_reconstructor'],
  copy_reg: ['_reconstructor'],
  _codecs: ['encode'],
  datetime: ['datetime', 'date', 'time', 'timedelta', 'timezone'],
  decimal: ['Decimal'],
}
const known: ReadonlySet<string> = new Set(
  Object.entries(allowed).flatMap(([module, names]) => names.map((name) => `${module} ${name}`)),
)

/** Modules whose functions start programs, open files and connections, or run text as code. */
const harmful = new Set([
  ...[
    'os',
    'posix',
    'nt',
    'posixpath',
    'ntpath',
    'subprocess',
    'pty',
    'commands',
    'popen2',
    'platform',
    'shutil',
    'sys',
    'socket',
  ],
  ...['ctypes', '_ctypes', 'runpy', 'importlib', 'imp', 'pkgutil', 'code', 'codeop', 'timeit', 'cProfile', 'profile', 'trace'],
  ...['bdb', 'pdb', 'doctest', 'marshal', 'pickle', '_pickle', 'dill', 'cloudpickle', 'joblib', 'shelve', 'types', 'inspect'],
  ...['operator', '_operator', 'functools', '_functools', 'asyncio', 'multiprocessing', 'threading', 'signal', 'webbrowser'],
  ...['urllib', 'urllib2', 'http', 'httplib', 'requests', 'aiohttp', 'httpx', 'ftplib', 'smtplib', 'telnetlib', 'ssl', 'pip'],
  ...['io', '_io', 'tempfile', 'pathlib', 'glob', 'zipimport', 'ensurepip', 'venv', 'pydoc', 'idlelib', 'lib2to3', 'distutils'],
  ...['logging', 'ast', 'site', 'linecache', 'gc', 'atexit'],
])
const harmfulNames = new Set([
  ...['eval', 'exec', 'execfile', 'compile', '__import__', 'open', 'getattr', 'setattr', 'delattr', 'globals', 'locals', 'vars'],
  ...['apply', 'map', 'filter', 'reduce', 'input', 'breakpoint', 'type', 'super', 'classmethod', 'memoryview', 'print'],
])

export type GlobalVerdict = 'allowed' | 'unknown' | 'harmful'

/** `name` may have dots: protocol 4 walks along them, and so to everything that a module has imported. */
export function judgeGlobal(module: string, name: string): GlobalVerdict {
  if (known.has(`${module} ${name}`)) return 'allowed'
  const [top = ''] = module.split('.')
  if (harmful.has(top) || name.includes('.')) return 'harmful'
  if (/^(builtins|__builtin__)$/.test(module) && harmfulNames.has(name)) return 'harmful'
  if (/^(numpy\.testing|numpy\.f2py|torch\.(hub|load|jit|utils|distributed|package|_inductor|_dynamo))/.test(module))
    return 'harmful'
  return /^(load|loads|run|system|popen|exec|eval|call|spawn\w*|runstring|_load_from_bytes)$/.test(name) ? 'harmful' : 'unknown'
}
