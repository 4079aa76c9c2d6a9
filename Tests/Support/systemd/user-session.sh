#!/bin/bash
# user-session.sh DIRECTORY SCRIPT [ARGUMENT...]: runs SCRIPT as a user of its own under a real
# `systemd --user` with a session bus and a journal, although PID 1 is not systemd. Needs root.
#
# All of it is seen only inside a mount and PID namespace: /run, the cgroup tree, the home and the
# passwd entry of the user `denoise-test`. When this process ends, the namespace and all in it end.
# DIRECTORY/home becomes the user's home; its .config/systemd/user holds the user's units.
# SD_SERVER=pulse|pipewire|none says which sound server's units are left as they are.
set -eu

user=denoise-test
id=54321

if [ "$1" != --inside ]; then
  exec unshare --mount --pid --fork --mount-proc --propagation private --kill-child -- \
    "$0" --inside "$@"
fi
shift
directory=$1 script=$2
shift 2
home=$directory/home runtime=/run/user/$id

mount -t tmpfs -o mode=755 tmpfs /run
# sd_booted() looks for the first of these; without it `systemd --user` refuses to start.
mkdir -p /run/systemd/system /run/systemd/journal /run/lock "$runtime" /run/log/journal

# A user that exists in here only.
{ cat /etc/passwd; echo "$user:x:$id:$id::$home:/bin/sh"; } >"$directory/passwd"
{ sed "/^systemd-journal:/s/\$/,$user/; s/:,/:/" /etc/group; echo "$user:x:$id:"; } >"$directory/group"
mount --bind "$directory/passwd" /etc/passwd
mount --bind "$directory/group" /etc/group

if getent group systemd-journal >/dev/null; then
  chgrp systemd-journal /run/log/journal
  chmod 2755 /run/log/journal
fi
/lib/systemd/systemd-journald 2>"$directory/journald.log" &
for _ in $(seq 1000); do [ -S /run/systemd/journal/stdout ] && break; sleep 0.02; done

# The unified hierarchy, and one group of it that belongs to the user.
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
# Its name is what the journal knows a user's units by.
slice=/sys/fs/cgroup/denoise-test-$RANDOM$RANDOM.slice
group=$slice/user@$id.service
mkdir -p "$group"
echo $$ >"$group/cgroup.procs"
chown -R "$user" "$group"

units=$home/.config/systemd/user
mkdir -p "$units"
pipewire="pipewire.socket pipewire.service pipewire-pulse.socket pipewire-pulse.service
  wireplumber.service pipewire-media-session.service"
pulse="pulseaudio.socket pulseaudio.service"
case ${SD_SERVER:-pulse} in
  pulse) masked=$pipewire ;;
  pipewire) masked=$pulse ;;
  *) masked="$pipewire $pulse" ;;
esac
for unit in $masked dirmngr.socket gpg-agent.socket gpg-agent-ssh.socket gpg-agent-extra.socket \
  gpg-agent-browser.socket; do
  ln -sf /dev/null "$units/$unit"
done
chmod 755 "$directory"
chown -R "$user:" "$home" "$runtime"
chmod 700 "$runtime"
cd "$home"

status=0
# shellcheck disable=SC2016 # The inner shell expands these.
runuser -u "$user" -- env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" USER="$user" LANG=C.UTF-8 \
  XDG_RUNTIME_DIR="$runtime" DBUS_SESSION_BUS_ADDRESS="unix:path=$runtime/bus" \
  sh -c '
    /lib/systemd/systemd --user --log-target=console 2>"$HOME/systemd.log" &
    manager=$!
    for _ in $(seq 1000); do
      state=$(systemctl --user is-system-running 2>/dev/null)
      case $state in running | degraded) break ;; esac
      sleep 0.05
    done
    "$@"
    status=$?
    systemctl --user exit 2>/dev/null
    wait $manager
    exit $status' sh "$script" "$@" || status=$?
echo $$ >/sys/fs/cgroup/cgroup.procs
for _ in $(seq 50); do
  # The groups empty as their processes end.
  find "$slice" -depth -type d -exec rmdir {} + 2>/dev/null && break
  sleep 0.02
done
exit $status
