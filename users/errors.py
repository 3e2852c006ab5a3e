"""Why a person cannot be created, named or let go."""


class DuplicatePhoneNumber(ValueError):
    """Somebody has this phone number already, in this or an equivalent spelling."""


class AddressTaken(ValueError):
    """The address belongs to somebody else."""


class LastOwner(ValueError):
    """Nobody would be left who may do everything. The text is for the person who tried."""
