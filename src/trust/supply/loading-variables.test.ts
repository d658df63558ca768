import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isLoadingVariable, loadingVariables } from './loading-variables.ts'

const words = (text: string): string[] => text.split(/\s+/)

it('SUP-C2 variables that load code are known', () => {
  const known = [
    ...words('NODE_OPTIONS NODE_PATH NODE_COMPILE_CACHE NODE_PRESERVE_SYMLINKS DENO_DIR BUN_INSTALL'),
    ...words('LD_PRELOAD DYLD_INSERT_LIBRARIES GCONV_PATH OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES'),
    ...words('PYTHONPATH PYTHONPYCACHEPREFIX BASH_ENV ENV ZDOTDIR BASH_FUNC_cd%% SHELLOPTS PS4'),
    ...words('PERL5LIB PERL5DB RUBYOPT GEM_PATH PHPRC PHP_INI_SCAN_DIR LUA_INIT LUA_INIT_5_4 LUA_CPATH'),
    ...words('JAVA_TOOL_OPTIONS CLASSPATH DOTNET_STARTUP_HOOKS CORECLR_PROFILER_PATH COMPlus_AltJit R_PROFILE_USER'),
    ...words('GIT_SSH_COMMAND DOCKER_HOST CONTAINER_HOST CONTAINERS_CONF_OVERRIDE'),
  ]
  assert.deepEqual(
    known.filter((name) => !isLoadingVariable(name)),
    [],
  )
})

it('others are not, and can be changed without locking anew', () => {
  const others =
    words(`PATH HOME TMPDIR LANG TZ API_KEY GITHUB_TOKEN NODE_ENV NODE_EXTRA_CA_CERTS PYTHONUNBUFFERED DOTNET_ENVIRONMENT
    GIT_AUTHOR_NAME PHP_VERSION BUNDLE_GEMS__ACME__COM HTTPS_PROXY MY_ENV ENVIRONMENT`)
  assert.deepEqual(others.filter(isLoadingVariable), [])
})

it('they are answered with their values, in order', () => {
  const env = { NODE_PATH: '/b', API_KEY: 'k', LD_PRELOAD: '/a.so' }
  assert.deepEqual(Object.entries(loadingVariables(env)), [
    ['LD_PRELOAD', '/a.so'],
    ['NODE_PATH', '/b'],
  ])
})
