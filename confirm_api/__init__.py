"""The confirmation service: asks citizens whether a parcel is theirs, by sealed messages that can be audited."""
