#!/usr/bin/env bash
# python LINE...: an interpreter, ./python, that does nothing but this. Sourced.
set -u
python() {
  printf '%s\n' '#!/usr/bin/env bash' "$@" >python
  chmod +x python
}
