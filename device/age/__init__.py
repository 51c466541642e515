"""The age file format, version 1 (https://age-encryption.org/v1, https://c2sp.org/age), and nothing of this project.

    sealing side    recipients  sealing                       public keys only: what a box may import
    both sides      errors  bech32  header  chunks  stream
    opening side    identities  opening                       private keys
    either, alone   passphrase                                scrypt: not for a machine that has to seal unattended

Nothing is re-exported here, so that importing the sealing side never loads the opening side.
"""
