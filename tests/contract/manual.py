"""The custom script as the manual's example does it: the DNS name follows the active server."""

EXAMPLE_SCRIPT = """#!/bin/bash

logger -t AMM_HA "$(basename $0) args 1=$1 2=$2 3=$3"
if [[ $1 != Failover ]] && [[ $1 != ManualSwitch ]]; then
  exit 0
fi

DOMAIN="domainname.acme.ca"
DNS_SERVER="dns1.acme.ca"
KEY_FILE="/mnt/amm_data/opt/inmotiontechnology/scripts/Kdyn.acme.ca.+157+55618.key"

HOST=`hostname`

echo "server $DNS_SERVER" > /tmp/nsupdate
echo "debug yes" >> /tmp/nsupdate
echo "zone $DOMAIN." >> /tmp/nsupdate
echo "update delete eng.$DOMAIN" >> /tmp/nsupdate
echo "update add eng.$DOMAIN 180 CNAME $HOST" >> /tmp/nsupdate
echo "send" >> /tmp/nsupdate

nsupdate -k $KEY_FILE -v /tmp/nsupdate 2>&1
"""
"""Word for word, because existing scripts are like it; only the server's name, domain and key are set by the test."""
