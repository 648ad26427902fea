#!/usr/bin/env bash
# Runs the nightly DAG in a separate Airflow, on this machine only. Its database, logs and password are
# in build/airflow and remain there; pool and connection come from conf/airflow. Ctrl-C stops it.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$(realpath --no-symlinks "$1")

export PATH=$venv/bin:$PATH
export PYTHONPATH=$PWD                         # lets the triggerer import its triggers
export AIRFLOW_HOME=$PWD/build/airflow
export AIRFLOW__CORE__DAGS_FOLDER=$PWD/dags
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__PARALLELISM=2           # the default starts 32 workers
export AIRFLOW__API__HOST=127.0.0.1           # the default listens on every network
export AIRFLOW__API__PORT=${PORT:-8080}
export AIRFLOW__API__BASE_URL=http://127.0.0.1:$AIRFLOW__API__PORT
export AIRFLOW__API__WORKERS=1
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL=$AIRFLOW__API__BASE_URL/execution/
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
mkdir -p "$AIRFLOW_HOME" && chmod 700 "$AIRFLOW_HOME"   # it holds a password and keys

stop() { echo "chudian: $1; see build/airflow/$2.log" >&2; exit 1; }

echo "preparing Airflow's database, pool and connection in build/airflow"
{
  airflow db migrate && airflow pools import conf/airflow/pools.json \
    && airflow connections import --overwrite conf/airflow/connections.json
} >"$AIRFLOW_HOME/setup.log" 2>&1 || stop "Airflow could not be prepared" setup

# Not `airflow standalone`: its scheduler and triggerer also serve log files on every network.
declare -A part
finish() { # the scheduler first: it waits for the running task, which reports to the server
  trap '' INT TERM
  trap - EXIT
  echo "stopping; a Spark application that is running is waited for, so that its step is whole"
  local workers
  workers=$(pgrep -P "${part[scheduler]}" || true)
  kill "${part[scheduler]}" 2>/dev/null || true
  while sleep 2; kill -0 "${part[scheduler]}" 2>/dev/null; do
    # It would also wait forever for idle workers: if no application runs, it is signalled again.
    pgrep -f "$PWD/jobs/night.py" >/dev/null || kill "${part[scheduler]}" $workers 2>/dev/null || true
  done
  kill "${part[@]}" 2>/dev/null || true
  wait
}
trap finish EXIT
trap 'exit 0' INT TERM
for name in scheduler triggerer dag-processor api-server; do
  options=$([[ $name != scheduler && $name != triggerer ]] || echo --skip-serve-logs)
  airflow $name $options >"$AIRFLOW_HOME/$name.log" 2>&1 &
  part[$name]=$!
done
cat <<SAY
starting Airflow (about half a minute); then
  open $AIRFLOW__API__BASE_URL as admin, with the password in
  build/airflow/simple_auth_manager_passwords.json.generated
  and trigger nightly with a data_date, for example 2009-05-03; Ctrl-C stops Airflow
SAY
wait -n || true
for name in "${!part[@]}"; do
  kill -0 "${part[$name]}" 2>/dev/null || stop "$name has stopped" "$name"
done
